//! Undo.

use vitrine::demos::face_drawing::drawing::{History, Scan, Sketch};

use super::support::{drawing, grey, lines_only, pictured, stroke};

#[test]
fn every_change_is_one_step_back_and_forth() {
    let mut sketch = Sketch::default();
    let mut history = History::default();
    let line = |x: f32| stroke(&[[x, 1.0], [x, 9.0]], 2.0);
    let scan = Scan::of(&pictured(&lines_only(), 128, |ink, _, _| grey(1.0 - ink))).expect("lines");
    let loaded = Sketch {
        scan: Some(std::sync::Arc::new(scan)),
        drawing: drawing(&[line(7.0)]),
    };
    let mut states = vec![sketch.clone()];
    history.add(&mut sketch, vec![line(1.0)]);
    states.push(sketch.clone());
    history.add(&mut sketch, vec![line(2.0), line(2.0).mirrored()]);
    states.push(sketch.clone());
    history.replace(&mut sketch, loaded);
    states.push(sketch.clone());
    history.add(&mut sketch, vec![line(3.0)]);
    states.push(sketch.clone());
    history.replace(&mut sketch, Sketch::default());
    states.push(sketch.clone());
    assert_eq!(states[2].drawing.strokes.len(), 3);
    assert!(states[5].is_empty());
    for _ in 0..2 {
        for state in states.iter().rev().skip(1) {
            assert!(history.undo(&mut sketch));
            assert!(&sketch == state);
        }
        assert!(!history.undo(&mut sketch) && !history.can_undo());
        for state in &states[1..] {
            assert!(history.redo(&mut sketch));
            assert!(&sketch == state);
        }
        assert!(!history.redo(&mut sketch));
    }
    history.undo(&mut sketch);
    history.add(&mut sketch, vec![line(4.0)]);
    assert!(
        !history.can_redo(),
        "a new stroke forgets what was taken back"
    );
    // Clearing nothing is no step.
    let mut empty = (History::default(), Sketch::default());
    empty.0.replace(&mut empty.1, Sketch::default());
    assert!(!empty.0.can_undo());
}

#[test]
fn old_steps_are_forgotten() {
    let mut sketch = Sketch::default();
    let mut history = History::default();
    for at in 0..600 {
        history.add(&mut sketch, vec![stroke(&[[at as f32, 1.0]], 2.0)]);
    }
    let mut steps = 0;
    while history.undo(&mut sketch) {
        steps += 1;
    }
    assert_eq!((steps, sketch.drawing.strokes.len()), (500, 100));
}
