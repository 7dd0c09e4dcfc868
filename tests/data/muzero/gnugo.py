"""Records what GNU Go 3.8 says of Go on 9 by 9, for tests/muzero/games/go.rs.

    apt-get install gnugo
    python3 gnugo.py > gnugo.json

`random`: games of random legal moves without a pass; before every move the crossings where a stone
may be put (positional superko, no suicide), as bits of a hexadecimal number, cell 0 (A9) lowest;
after every eighth move the stones of both, in the same way.

`scored`: games that GNU Go plays against itself, until all dead stones are captured and every
neutral crossing is filled, with its score: then counting dead stones as they lie is exact.

gnugo.sgf was saved by the same program:

    printf '%s\\n' E5 C3 G7 C7 pass F3 quit | gnugo --mode ascii --boardsize 9 --komi 7.5 \\
        --level 1 --seed 5 -o gnugo.sgf
"""

import json
import random
import subprocess

LETTERS = "ABCDEFGHJ"
RULES = ["--chinese-rules", "--positional-superko", "--forbid-suicide", "--komi", "7.5"]


class GnuGo:
    def __init__(self, *options):
        command = ["/usr/games/gnugo", "--mode", "gtp", "--boardsize", "9", *RULES, *options]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        lines = []
        while (line := self.process.stdout.readline()) != "\n":
            assert line, "GNU Go ended"
            lines.append(line.strip())
        answer = " ".join(lines)
        assert answer.startswith("="), (command, answer)
        return answer[1:].strip()

    def bits(self, command):
        names = self.ask(command).split()
        return f"{sum(1 << cell(name) for name in names if name.upper() != 'PASS'):x}"


def cell(name):
    return (9 - int(name[1:])) * 9 + LETTERS.index(name[0].upper())


def vertex(place):
    return f"{LETTERS[place % 9]}{9 - place // 9}"


def random_game(seed):
    rng = random.Random(seed)
    engine = GnuGo("--seed", "1")
    game = {"moves": [], "legal": [], "stones": []}
    for step in range(160):
        color = "black" if step % 2 == 0 else "white"
        legal = engine.bits(f"all_legal {color}")
        places = [place for place in range(81) if int(legal, 16) >> place & 1]
        if not places:
            break
        move = vertex(rng.choice(places))
        game["legal"].append(legal)
        game["moves"].append(move)
        engine.ask(f"play {color} {move}")
        if step % 8 == 7:
            both = [engine.bits(f"list_stones {color}") for color in ("black", "white")]
            game["stones"].append(both)
    engine.ask("quit")
    return game


def scored_game(seed):
    engine = GnuGo("--level", "1", "--seed", str(seed), "--capture-all-dead")
    moves = []
    while moves[-2:] != ["PASS", "PASS"] and len(moves) < 160:
        moves.append(engine.ask("genmove " + ("black" if len(moves) % 2 == 0 else "white")))
    score = engine.ask("final_score")
    engine.ask("quit")
    return {"moves": moves, "score": score}


if __name__ == "__main__":
    games = {
        "random": [random_game(seed) for seed in range(8)],
        "scored": [scored_game(seed) for seed in range(1, 7)],
    }
    print(json.dumps(games, indent=0))
