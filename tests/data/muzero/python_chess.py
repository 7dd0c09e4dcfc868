"""Records games of chess from the package `chess` (1.11), for tests/muzero/games/record.rs.

    pip install chess
    python3 python_chess.py > python_chess.json

Random games until they are over by the rules, a third repetition or 50 moves: the moves as they
are written down (SAN), the last position and what ended the game. Pawns are preferred, so that
there are promotions, and with them several queens and knights that must be told apart.
"""

import json
import random

import chess


def game(seed):
    rng = random.Random(seed)
    board = chess.Board()
    words = []
    while True:
        outcome = board.outcome(claim_draw=False)
        if outcome:
            reason = outcome.termination.name
            break
        if board.is_repetition(3) or board.is_fifty_moves():
            reason = "THREEFOLD_REPETITION" if board.is_repetition(3) else "FIFTY_MOVES"
            break
        if len(words) == 400:
            reason = ""
            break
        moves = list(board.legal_moves)
        pawns = [move for move in moves if board.piece_type_at(move.from_square) == chess.PAWN]
        if pawns and rng.random() < 0.5:
            moves = pawns
        move = rng.choice(moves)
        words.append(board.san(move))
        board.push(move)
    return {"san": " ".join(words), "fen": board.fen(en_passant="fen"), "end": reason}


if __name__ == "__main__":
    print(json.dumps([game(seed) for seed in range(12)], indent=0))
