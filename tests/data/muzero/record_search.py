"""Records searches of mctx 0.0.71 for tests/muzero/search.rs.

    python3 tests/data/muzero/record_search.py tests/data/muzero/search

writes one JSON file per case. The model is a hash of (state, action), the same as in the test, so
that no network is needed. Run once; mctx 0.0.71, jax on the CPU.
"""

import json
import pathlib
import sys

import jax
import jax.numpy as jnp
import mctx
import numpy as np
from mctx._src import qtransforms


def mix(x):
    """The finaliser of MurmurHash3 on 32 bits."""
    x = x ^ (x >> 16)
    x = x * jnp.uint32(0x85EBCA6B)
    x = x ^ (x >> 13)
    x = x * jnp.uint32(0xC2B2AE35)
    return x ^ (x >> 16)


def unit(state, salt):
    """A float in [0, 1) that float32 holds exactly."""
    hashed = mix(state + jnp.uint32(0x9E3779B9) * jnp.uint32(salt))
    return (hashed >> 8).astype(jnp.float32) / jnp.float32(1 << 24)


def child(state, action):
    return mix(state * jnp.uint32(31) + action.astype(jnp.uint32) + jnp.uint32(1))


def logits_of(state, actions):
    return jnp.stack([4 * unit(state, 10 + a) - 2 for a in range(actions)], axis=-1)


def value_of(state):
    return 2 * unit(state, 1) - 1


def recurrent(case):
    def step(params, key, action, embedding):
        del params, key
        state, over = embedding
        state = child(state, action)
        reward = case["reward"] * (2 * unit(state, 2) - 1)
        ends = unit(state, 3) < case["end"]
        value = jnp.where(over | ends, 0.0, value_of(state))
        reward = jnp.where(over, 0.0, reward)
        discount = jnp.where(over | ends, 0.0, jnp.float32(case["discount"]))
        out = mctx.RecurrentFnOutput(
            reward=reward,
            discount=discount,
            prior_logits=logits_of(state, case["actions"]),
            value=value,
        )
        return out, (state, over | ends)

    return step


def number(x):
    return float(f"{float(x):.8g}")


def record(case):
    states = jnp.array(case["states"], jnp.uint32)
    actions = case["actions"]
    batch = len(case["states"])
    invalid = np.zeros((batch, actions), np.int32)
    for tree, illegal in enumerate(case["illegal"]):
        invalid[tree, illegal] = 1
    logits = logits_of(states, actions)
    if case["algorithm"] == "puct":
        # Whether noise is mixed in before or after ruling actions out is then the same.
        logits = jnp.where(invalid == 1, -1e9, logits)
    root = mctx.RootFnOutput(
        prior_logits=logits,
        value=value_of(states),
        embedding=(states, jnp.zeros(batch, bool)),
    )
    key = jax.random.PRNGKey(case["seed"])
    common = dict(
        params=(),
        rng_key=key,
        root=root,
        recurrent_fn=recurrent(case),
        num_simulations=case["simulations"],
        invalid_actions=jnp.array(invalid),
    )
    if case["algorithm"] == "gumbel":
        out = mctx.gumbel_muzero_policy(
            **common,
            max_num_considered_actions=case["considered"],
            gumbel_scale=case["scale"],
            qtransform=lambda tree, node: qtransforms.qtransform_completed_by_mix_value(
                tree, node, value_scale=case["value_scale"], maxvisit_init=case["max_visit_init"]
            ),
        )
        # The noise before scaling, drawn from the same key.
        noise = jax.random.gumbel(jax.random.split(key)[1], (batch, actions), jnp.float32)
        scaled = case["scale"] * noise
        assert np.array_equal(scaled, out.search_tree.extra_data.root_gumbel)
    else:
        out = mctx.muzero_policy(
            **common,
            dirichlet_fraction=case["fraction"],
            dirichlet_alpha=case["alpha"],
            pb_c_init=case["c1"],
            pb_c_base=case["c2"],
            temperature=0.0,
        )
        noise = jax.random.dirichlet(
            jax.random.split(key, 3)[1], jnp.full([actions], case["alpha"]), (batch,)
        )
    return {**case, "trees": [tree_of(out, noise, t) for t in range(batch)]}


def tree_of(out, noise, t):
    tree = jax.tree.map(lambda x: np.asarray(x[t]), out.search_tree)
    priors = np.asarray(jax.nn.softmax(tree.children_prior_logits, axis=-1))
    nodes = []
    assert (tree.children_index >= 0).sum() == len(tree.parents) - 1
    for node, (parent, action) in enumerate(zip(tree.parents, tree.action_from_parent)):
        row = [int(parent), int(action), int(tree.node_visits[node])]
        row += [number(tree.node_values[node]), number(tree.raw_values[node])]
        if node > 0:
            assert tree.children_index[parent, action] == node
            assert tree.children_visits[parent, action] == tree.node_visits[node]
            assert tree.children_values[parent, action] == tree.node_values[node]
            reward = tree.children_rewards[parent, action]
            discount = tree.children_discounts[parent, action]
            row += [number(reward), number(discount), number(priors[parent, action])]
        else:
            row += [0.0, 0.0, 1.0]
        nodes.append(row)
    return {
        "noise": [number(x) for x in noise[t]],
        "action": int(out.action[t]),
        "weights": [number(x) for x in out.action_weights[t]],
        "nodes": nodes,
    }


def gumbel(name, states, actions, simulations, **settings):
    case = dict(name=name, algorithm="gumbel", states=states, actions=actions)
    case |= dict(simulations=simulations, seed=len(name) + simulations, illegal=[])
    case |= dict(considered=16, scale=1.0, value_scale=0.1, max_visit_init=50.0)
    case |= dict(discount=-1.0, reward=0.0, end=0.0)
    return case | settings


def puct(name, states, actions, simulations, **settings):
    case = gumbel(name, states, actions, simulations)
    case |= dict(algorithm="puct", fraction=0.25, alpha=0.3, c1=1.25, c2=19652.0)
    return case | settings


CASES = [
    gumbel("two_actions", [1, 2, 3], 2, 20),
    gumbel("one_simulation", [4, 5], 7, 1),
    gumbel("fewer_simulations_than_actions", [6, 7], 30, 12, considered=30),
    gumbel("columns", [8, 9, 10], 7, 50, illegal=[[], [0, 3], [1, 2, 3, 4, 5, 6]], end=0.1),
    gumbel("columns_long", [11, 12], 7, 200, end=0.15, illegal=[[6], []]),
    gumbel("one_player", [13, 14], 6, 50, discount=0.997, reward=1.0, end=0.05),
    gumbel("one_player_long", [15], 18, 150, discount=0.99, reward=0.5, end=0.02, considered=8),
    gumbel("greedy", [16, 17], 9, 30, scale=0.0, illegal=[[0], [2, 4]], end=0.2),
    gumbel("other_scales", [18, 19], 9, 40, scale=0.5, value_scale=0.4, max_visit_init=20.0),
    gumbel("wide", [20, 21], 30, 100, considered=12, illegal=[list(range(0, 30, 3)), []], end=0.1),
    gumbel("considers_one", [22], 5, 16, considered=1),
    puct("puct_two_actions", [31, 32], 2, 20),
    puct("puct_columns", [33, 34, 35], 7, 50, illegal=[[], [2], [0, 1, 2, 4, 5, 6]], end=0.1),
    puct("puct_quiet", [36, 37], 9, 40, fraction=0.0, illegal=[[4, 8], []], end=0.2),
    puct("puct_one_player", [38, 39], 6, 60, discount=0.997, reward=1.0, alpha=1.0),
    puct("puct_long", [40], 7, 200, end=0.1, c1=2.0, c2=50.0, fraction=0.4),
]


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        pad = len(case["states"]) - len(case["illegal"])
        case["illegal"] = case["illegal"] + [[]] * pad
        text = json.dumps(record(case), separators=(",", ":"))
        (folder / f"{case['name']}.json").write_text(text + "\n")
        print(case["name"], len(text))


if __name__ == "__main__":
    main()
