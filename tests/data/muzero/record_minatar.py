#!/usr/bin/env python3
"""Records games of the PyPI package MinAtar 1.0.15, for tests/muzero/minatar.rs.

    pip install minatar==1.0.15
    python3 tests/data/muzero/record_minatar.py            # writes minatar.txt beside itself
    python3 tests/data/muzero/record_minatar.py live SEED  # short random games to standard output
    python3 tests/data/muzero/record_minatar.py random     # returns of random play

The package's source of random numbers is wrapped: each draw is written down, so that other
rules can be given the same draws and must come to the same grids. One line a game, then one a
frame:

    game NAME RAMPING LIVES DRAWS CRC
    ACTION DRAWS CRC [REWARD] [over]

ACTION is an index into the minimal action set. DRAWS has one letter for a number in [0, 1) (A
below 0.1, B below 1/3, C below 1/2, D above: no rule asks for more) and a letter and a digit for
a whole number below an end (b3: 3 of 0..2, that is below the end of b = 2 ... h = 8; the letters
count from a = 1). CRC is the CRC-32 of the grid, [channels, 10, 10] packed into bits, the first
in the highest bit. The line `game` is about the frame before the first action; its draws are `-`
where there are none. With LIVES = 1 a game ends when it is lost; otherwise the loss is written
down, and the game goes on as if nothing had happened.

Players: random ones, ones that look ahead with copies of the game, and ones with endless lives, so
that late stages are seen too. All numbers come from fixed seeds.
"""
import copy
import io
import os
import sys
import zlib

import numpy as np
from minatar import Environment


class Source:
    """A random source that writes down what it gives."""

    def __init__(self, seed):
        self.random = np.random.RandomState(seed)
        self.log = []

    def rand(self, count=None):
        numbers = self.random.rand(count) if count else self.random.rand()
        for number in np.atleast_1d(numbers):
            self.log.append("ABCD"[sum(number >= np.array([0.1, 1 / 3, 1 / 2]))])
        return numbers

    def randint(self, low, high=None, size=None):
        numbers = self.random.randint(low, high, size)
        start, end = (0, low) if high is None else (low, high)
        for number in np.atleast_1d(numbers):
            self.log.append("abcdefgh"[end - start - 1] + str(number - start))
        return numbers

    def taken(self):
        draws, self.log = "".join(self.log), []
        return draws


def crc(env):
    grid = np.transpose(env.state(), (2, 0, 1)).reshape(-1)
    return f"{zlib.crc32(np.packbits(grid).tobytes()):08x}"


def fork(env, seed):
    """A copy with chances of its own."""
    copied = copy.copy(env)
    copied.env = copy.deepcopy(env.env)
    copied.random = copied.env.random = np.random.RandomState(seed)
    return copied


def place(rules):
    """Column and row of the player."""
    for column, row in [("player_x", "player_y"), ("sub_x", "sub_y")]:
        if hasattr(rules, column):
            return getattr(rules, column), getattr(rules, row)
    return (rules.pos, 0) if hasattr(rules, "alien_map") else (0, rules.pos)


def merit(game, rules):
    """What a player that looks ahead likes besides rewards."""
    if game == "freeway":
        return 0.1 * (9 - rules.pos)
    if game == "seaquest":
        divers = min(rules.diver_count, 6)
        near = min([abs(d[0] - rules.sub_x) + abs(d[1] - rules.sub_y) for d in rules.divers] + [15])
        home = divers == 6 or divers != 0 and rules.oxygen < 80
        return 2 * divers - 0.3 * max(0, 80 - rules.oxygen) - 0.1 * (rules.sub_y * 2 if home else near)
    return 0.0


def look_ahead(game, env, chooser, depth, tries):
    """The first step of good plans: to go to a random cell, at times shooting."""
    actions = env.minimal_action_set()
    names = [env.env.action_map[action] for action in actions]
    values = [[] for _ in actions]
    for _ in range(tries):
        copied = fork(env, chooser.randint(2**31))
        rules = copied.env
        target, shooting = chooser.randint(10, size=2), chooser.rand() < 0.5
        first, value = None, 0.0
        for step in range(depth):
            column, row = place(rules)
            wanted = [name for name, wants in [
                ("l", target[0] < column), ("r", target[0] > column),
                ("u", target[1] < row), ("d", target[1] > row),
                ("f", shooting and rules.shot_timer == 0 if "f" in names else False),
            ] if wants and name in names] or ["n"]
            action = names.index(wanted[chooser.randint(len(wanted))])
            first = action if first is None else first
            reward, over = copied.act(actions[action])
            value += 3 * reward * 0.99**step
            if over:
                value -= 60 - step
                break
        value += merit(game, rules)
        values[first].append(value)
    # The better half of each, since nobody follows a bad plan; the mean, since chance is in all.
    halves = [sorted(v)[len(v) // 2 :] for v in values]
    return int(np.argmax([np.mean(half) if half else -1e9 for half in halves]))


def diver(env, chooser):
    """Seaquest for endless lives: collects six divers, or what the air allows, and surfaces."""
    rules = env.env
    home = rules.diver_count >= 6 or rules.oxygen < 60 and rules.diver_count != 0
    if home or not rules.divers:
        column, row = rules.sub_x, 0 if home else 4
    else:
        column, row = min(rules.divers, key=lambda d: abs(d[0] - rules.sub_x) + abs(d[1] - rules.sub_y))[:2]
    wanted = [5] if chooser.rand() < 0.25 else []
    wanted += [1] * (column < rules.sub_x) + [3] * (column > rules.sub_x)
    wanted += [2] * (row < rules.sub_y) + [4] * (row > rules.sub_y)
    return wanted[chooser.randint(len(wanted))] if wanted else 0


def play(out, game, seed, ramping, frames, player, endless=False):
    """Plays one game to its end or so many frames; gives the return."""
    env = Environment(game, sticky_action_prob=0.1, difficulty_ramping=ramping)
    source = Source(seed)
    env.random = env.env.random = source
    env.last_action = 0
    env.reset()
    print("game", game, int(ramping), 9 if endless else 1, source.taken() or "-", crc(env), file=out)
    actions = env.minimal_action_set()
    chooser = np.random.RandomState(seed + 1)
    total, over = 0, False
    for _ in range(frames):
        action = player(env, chooser)
        reward, over = env.act(actions[action])
        total += reward
        line = f"{action} {source.taken()} {crc(env)}"
        if reward:
            line += f" {int(reward)}"
        print(line + (" over" if over else ""), file=out)
        if over and not endless:
            break
        env.env.terminal = False
    return total, over


def random_player(env, chooser):
    return chooser.randint(len(env.minimal_action_set()))


def under_the_ball(env, chooser):
    """Breakout without a miss, but for repeated actions: goes to where the ball comes down."""
    copied = fork(env, 0)
    here = env.env.pos
    lands = here
    while not copied.env.terminal:
        copied.env.pos = -1
        copied.env.act(0)
        lands = copied.env.last_x
        if copied.env.ball_y < env.env.ball_y and env.env.ball_y > 6:
            break
    # One cell beside now and then, so that both edges of the paddle are met.
    wanted = copied.env.ball_x if chooser.randint(3) == 0 else lands
    return 0 if wanted == here else 1 if wanted < here else 2


# Of each game: how far and how often a player looks ahead, how many frames are recorded, and of
# how many games the longest is kept.
AHEAD = {
    "breakout": (0, 0, 2500, 8),
    "freeway": (12, 16, 2600, 1),
    "asterix": (16, 40, 1000, 3),
    "space_invaders": (14, 30, 1800, 1),
    "seaquest": (24, 60, 1000, 3),
}

GAMES = list(AHEAD)


def record(out):
    for game in GAMES:
        depth, tries, frames, games = AHEAD[game]
        ahead = lambda env, chooser: look_ahead(game, env, chooser, depth, tries)
        best = under_the_ball if game == "breakout" else ahead
        for seed, ramping, limit, player in [
            (1, True, 300, random_player),
            (2, True, 300, random_player),
            (3, True, 300, random_player),
            (4, False, 300, best),
        ]:
            play(out, game, seed, ramping, limit, player)
        longest = ""
        for seed in range(5, 5 + games):
            kept = io.StringIO()
            total, over = play(kept, game, seed, True, frames, best)
            longest = max(longest, kept.getvalue(), key=len)
            print(game, "seed", seed, "return", total, "over", over, file=sys.stderr, flush=True)
        out.write(longest)
    play(out, "asterix", 20, True, 2200, random_player, endless=True)
    play(out, "seaquest", 21, True, 6000, diver, endless=True)


def random_returns():
    for game in GAMES:
        games = 100 if game == "freeway" else 1000
        totals = [play(io.StringIO(), game, seed, True, 5000, random_player)[0] for seed in range(games)]
        print(game, np.mean(totals), "+-", np.std(totals, ddof=1) / games**0.5)


if __name__ == "__main__":
    if sys.argv[1:2] == ["live"]:
        for number, game in enumerate(GAMES * 4):
            play(sys.stdout, game, int(sys.argv[2]) + number, number % 2 == 0, 400, random_player)
    elif sys.argv[1:2] == ["random"]:
        random_returns()
    else:
        here = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(here, "minatar.txt"), "w", encoding="ascii") as out:
            record(out)
