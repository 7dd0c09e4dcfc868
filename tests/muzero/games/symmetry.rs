//! Symmetries: a transformed game is a game.

use proptest::prelude::*;
use vitrine::demos::muzero::game::{Game, GameId, Symmetry, symmetries};

use super::{BOARDS, begin, legal, observe};

fn of(name: &str) -> Vec<Symmetry> {
    let id: GameId = name.parse().expect("a game's name");
    symmetries(&id)
}

fn flags(game: &dyn Game) -> Vec<bool> {
    let mut flags = vec![false; game.spec().actions];
    game.legal(&mut flags);
    flags
}

#[test]
fn the_symmetries_are_as_many_as_known_and_differ() {
    for (name, count) in BOARDS.into_iter().zip([8, 2, 4, 4, 8, 8, 1]) {
        let all = of(name);
        assert_eq!(all.len(), count, "{name}");
        let game = begin(name);
        let same = |places: &[u16]| places.iter().enumerate().all(|(i, &p)| i == usize::from(p));
        assert!(
            same(&all[0].cells) && same(&all[0].actions),
            "{name}: the first changes nothing"
        );
        for (i, symmetry) in all.iter().enumerate() {
            assert!(!all[..i].contains(symmetry), "{name}");
            for (places, len) in [
                (
                    &symmetry.cells,
                    game.spec().observation[1] * game.spec().observation[2],
                ),
                (&symmetry.actions, game.spec().actions),
            ] {
                let mut sorted = places.clone();
                sorted.sort_unstable();
                assert_eq!(sorted.len(), len, "{name}");
                assert!(same(&sorted), "{name}: a permutation");
            }
        }
    }
    assert!(of("minatar:breakout").is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Both games are played side by side; what is seen, what is legal, what is earned and how it
    /// ends stay each other's images.
    #[test]
    fn a_transformed_game_is_the_game_transformed(
        name in prop::sample::select(&BOARDS[..]),
        choices in prop::collection::vec(any::<prop::sample::Index>(), 0..120),
    ) {
        for symmetry in of(name) {
            let (mut game, mut image) = (begin(name), begin(name));
            for choice in &choices {
                let planes = observe(game.as_ref());
                let mut transformed = vec![0.0; planes.len()];
                symmetry.observation(&planes, &mut transformed);
                prop_assert_eq!(&transformed, &observe(image.as_ref()));
                let may = flags(game.as_ref());
                let mut transformed = vec![false; may.len()];
                symmetry.policy(&may, &mut transformed);
                prop_assert_eq!(transformed, flags(image.as_ref()));
                prop_assert_eq!(game.outcome(), image.outcome());
                let moves = legal(game.as_ref());
                if moves.is_empty() {
                    break;
                }
                let action = moves[choice.index(moves.len())];
                let reward = game.step(action).expect("legal");
                let same = image.step(symmetry.action(action)).expect("legal");
                prop_assert_eq!(reward.to_bits(), same.to_bits());
            }
        }
    }
}
