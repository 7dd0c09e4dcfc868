"""One game of the Arcade Learning Environment, played for another program over pipes.

Vitrine starts this file as `python3 -c`. Requests come on standard input, replies go to standard
output; each is a length (u32) and that many bytes, numbers are little-endian. It ends when
standard input does, so it never outlives who started it.

    L                                      the names of the ROMs, one a line
    O sticky f64, skip u8, name            opens a ROM; height u16, width u16, then a byte for each
                                           action of its minimal set (ALE's codes)
    R seed u64, no-ops u8                  begins a game and does nothing for so many frames
    A index u8                             holds an action of the minimal set for `skip` frames

R and A answer with reward i32, lives i32, over u8, and the screen as rows of red, green, blue: of
the last two frames the brighter (games draw some things in every other frame only), or the very
last frame of a game. The first byte of a reply is `+`, or `?` where something has to be installed,
or `!` with an error; text follows.

Actions stick as in the environment itself (Machado et al. 2018): before each frame the action
before is kept with probability `sticky`. It is done here because its own random numbers can be
seeded only when a ROM is loaded, which takes long; a game begins with a stored state instead, and
depends on its seed alone.
"""
import os
import random
import signal
import struct
import sys

# Replies have standard output to themselves; what the emulator prints goes where errors go.
replies = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)
requests = os.fdopen(os.dup(0), "rb")
# An interrupt from the terminal is the other program's to handle.
signal.signal(signal.SIGINT, signal.SIG_IGN)


class Missing(Exception):
    pass


class Arcade:
    def __init__(self):
        try:
            import ale_py
            from ale_py import roms

            self.ale_py, self.roms = ale_py, roms
            names = set(roms.get_all_rom_ids())
            ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
        except ImportError as error:
            raise Missing(f"{sys.executable} has no ale-py ({error}): pip install ale-py")
        except AttributeError:
            raise Missing("ale-py is too old: pip install --upgrade ale-py")
        # Games for two alone have no rewards and cannot be opened.
        supported = ale_py.ALEInterface.isSupportedROM
        self.names = sorted(n for n in names if supported(roms.get_rom_path(n)))
        self.ale = None

    def open(self, sticky, skip, name):
        if name not in self.names:
            raise Missing(f"ale-py has no ROM {name} (a newer one may: pip install --upgrade ale-py)")
        self.ale = self.ale_py.ALEInterface()
        self.ale.setInt("random_seed", 0)
        self.ale.setInt("frame_skip", 1)
        self.ale.setFloat("repeat_action_probability", 0.0)
        self.ale.loadROM(self.roms.get_rom_path(name))
        self.sticky, self.skip = sticky, max(1, skip)
        self.actions = [action.value for action in self.ale.getMinimalActionSet()]
        self.first_screen = self.ale.getScreenRGB()
        self.start = self.ale.cloneSystemState()
        height, width = self.ale.getScreenDims()
        return struct.pack("<HH", height, width) + bytes(self.actions)

    def reset(self, seed, noops):
        self.ale.restoreSystemState(self.start)
        self.random = random.Random(seed)
        self.held = 0
        screen = self.first_screen
        for _ in range(noops):
            self.frame(0)
            screen = self.ale.getScreenRGB()
            if self.ale.game_over():
                self.ale.restoreSystemState(self.start)
                screen = self.first_screen
        return self.view(0, screen)

    def frame(self, action):
        if self.random.random() >= self.sticky:
            self.held = action
        return self.ale.act(self.held)

    def act(self, index):
        reward, screens = 0, []
        for frame in range(self.skip):
            reward += self.frame(self.actions[index])
            if self.ale.game_over():
                screens = [self.ale.getScreenRGB()]
                break
            if frame >= self.skip - 2:
                screens.append(self.ale.getScreenRGB())
        # The maximum of both.
        return self.view(reward, screens[0].clip(min=screens[-1]))

    def view(self, reward, screen):
        state = struct.pack("<iiB", reward, self.ale.lives(), self.ale.game_over())
        return state + screen.tobytes()

    def answer(self, request):
        kind, rest = request[:1], request[1:]
        if kind == b"L":
            return "\n".join(self.names).encode()
        if kind == b"O":
            sticky, skip = struct.unpack_from("<dB", rest)
            return self.open(sticky, skip, rest[9:].decode())
        if kind == b"R":
            return self.reset(*struct.unpack("<QB", rest))
        if kind == b"A":
            return self.act(rest[0])
        raise ValueError(f"unknown request {kind}")


def serve():
    arcade = None
    while True:
        length = requests.read(4)
        if len(length) < 4:
            return
        request = requests.read(struct.unpack("<I", length)[0])
        try:
            arcade = arcade or Arcade()
            reply = b"+" + arcade.answer(request)
        except Missing as error:
            reply = b"?" + str(error).encode()
        except Exception as error:
            reply = b"!" + f"{type(error).__name__}: {error}".encode()
        try:
            replies.write(struct.pack("<I", len(reply)) + reply)
            replies.flush()
        except BrokenPipeError:
            # Nobody reads any more. Python would complain about it once again at its end.
            os._exit(0)


serve()
