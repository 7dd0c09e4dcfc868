//! The search of a position that is under way or done.

use std::sync::Arc;

use super::super::game::GameId;
use super::super::live::{self, LiveJob, LiveRequest, LiveShot};
use crate::compute::{Ending, Event, Lane, Run};
use crate::gui::TabCx;
use crate::gui::controls::capitalised;

/// One search at a time; a newer one takes the place of an older one.
#[derive(Default)]
pub struct Analysis {
    run: Option<(LiveRequest, Run<LiveShot>)>,
    shot: Option<Arc<LiveShot>>,
    failure: Option<(LiveRequest, String)>,
}

impl Analysis {
    /// Searches unless this very search is under way, done or has failed.
    pub fn want(&mut self, request: &LiveRequest, cx: &TabCx<'_>) {
        let is_it = |other: &LiveRequest| other == request;
        let runs = self.run.as_ref().is_some_and(|(r, _)| is_it(r));
        let done = self
            .shot
            .as_ref()
            .is_some_and(|s| s.done && is_it(&s.request));
        let failed = self.failure.as_ref().is_some_and(|(r, _)| is_it(r));
        if runs || failed || (done && self.run.is_none()) {
            return;
        }
        self.failure = None;
        let name = format!("MuZero: searching in {}", request.game);
        let job = LiveJob::new(request.clone());
        let run = cx
            .worker
            .submit(Lane::Interactive("muzero search"), name, job);
        self.run = Some((request.clone(), run));
    }

    /// Searches before the frame is drawn, for a picture.
    pub fn search_now(&mut self, request: &LiveRequest) {
        match live::search_now(request) {
            Ok(shot) => self.shot = Some(Arc::new(shot)),
            Err(error) => {
                let text = capitalised(&error.to_string());
                self.failure = Some((request.clone(), text));
            }
        }
    }

    /// Takes in what has come. True when there is something new.
    pub fn poll(&mut self, cx: &mut TabCx<'_>) -> bool {
        let Some((request, run)) = &mut self.run else {
            return false;
        };
        let (mut news, mut over) = (false, false);
        while let Some(event) = run.poll() {
            news = true;
            match event {
                Event::Output(shot) => self.shot = Some(Arc::new(shot)),
                Event::Warning(text) => cx.toasts.warning(text),
                Event::Ended(ending) => {
                    over = true;
                    if let Ending::Failed(error) = ending {
                        let text = capitalised(&error.to_string());
                        cx.toasts.error(text.clone());
                        self.failure = Some((request.clone(), text));
                    }
                }
            }
        }
        if over {
            self.run = None;
        }
        news
    }

    /// The newest shot of a position.
    pub fn of(&self, game: &GameId, moves: &[usize]) -> Option<&Arc<LiveShot>> {
        let shot = self.shot.as_ref()?;
        (shot.request.game == *game && shot.request.moves == moves).then_some(shot)
    }

    /// The finished shot of this very search.
    pub fn result(&self, request: &LiveRequest) -> Option<&Arc<LiveShot>> {
        let shot = self.shot.as_ref()?;
        (shot.done && shot.request == *request).then_some(shot)
    }

    /// Whether this position is being searched.
    pub fn is_searching(&self, game: &GameId, moves: &[usize]) -> bool {
        let run = self.run.as_ref();
        run.is_some_and(|(request, _)| request.game == *game && request.moves == moves)
    }

    /// What went wrong with the search of a position.
    pub fn failure(&self, game: &GameId, moves: &[usize]) -> Option<&str> {
        let (request, text) = self.failure.as_ref()?;
        (request.game == *game && request.moves == moves).then_some(text)
    }

    /// Ends the search and keeps what it has found.
    pub fn cancel(&mut self) {
        self.run = None;
    }

    /// Forgets failures, so that the same may be tried again.
    pub fn forgive(&mut self) {
        self.failure = None;
    }
}
