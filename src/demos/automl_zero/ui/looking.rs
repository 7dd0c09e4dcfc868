//! What the worker finds out about the program in sight: how it is judged, how it learns.

use super::super::config::SearchConfig;
use super::super::judge::{JudgeJob, Judged};
use super::super::program::Program;
use super::super::study::{Question, Seen, StudyJob};
use crate::compute::{Lane, Run};
use crate::gui::TabCx;

/// What is wanted of the program in sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its fitness on other tasks and what each line is worth.
    pub judged: bool,
    /// How it learns a task.
    pub seen: bool,
}

/// Which task is looked at, and from where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sight {
    /// The task, from 0.
    pub task: usize,
    /// The features along the sides of the plane.
    pub axes: [usize; 2],
}

/// The questions under way and the last answers.
#[derive(Default)]
pub struct Looking {
    judging: Option<Run<Judged>>,
    judge_asked: Option<(Program, SearchConfig)>,
    judged: Option<Box<Judged>>,
    studying: Option<Run<Seen>>,
    study_asked: Option<Question>,
    seen: Option<Box<Seen>>,
    /// Grows with every answer.
    revision: u64,
}

impl Looking {
    /// How the program in sight is judged, once that is known.
    pub fn judged(&self, program: &Program) -> Option<&Judged> {
        let asked = self.judge_asked.as_ref();
        self.judged
            .as_deref()
            .filter(|_| asked.is_some_and(|(asked, _)| asked == program))
    }

    /// How it learns, as far as that is known; of the program before until then.
    pub fn seen(&self) -> Option<&Seen> {
        self.seen.as_deref()
    }

    /// Whether something is being found out.
    pub fn is_busy(&self) -> bool {
        self.judging.is_some() || self.studying.is_some()
    }

    /// Changes with every answer.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Takes in answers and asks what is not known yet. A question is asked once, and never while
    /// another of its kind is under way.
    pub fn logic(
        &mut self,
        program: &Program,
        config: &SearchConfig,
        sight: Sight,
        wanted: Wanted,
        cx: &mut TabCx<'_>,
    ) {
        for judged in cx.heard(&mut self.judging).unwrap_or_default() {
            self.judged = Some(Box::new(judged));
            self.revision += 1;
        }
        for seen in cx.heard(&mut self.studying).unwrap_or_default() {
            self.seen = Some(Box::new(seen));
            self.revision += 1;
        }
        let known = |asked: &Option<(Program, SearchConfig)>| {
            asked
                .as_ref()
                .is_some_and(|(p, c)| p == program && c == config)
        };
        if wanted.judged && self.judging.is_none() && !known(&self.judge_asked) {
            let job = JudgeJob::new(program.clone(), config.clone(), cx.paths.clone());
            let lane = Lane::Interactive("automl judge");
            self.judging = Some(cx.worker.submit(lane, "AutoML-Zero: judge a program", job));
            self.judge_asked = Some((program.clone(), config.clone()));
            self.judged = None;
        }
        let same = |asked: &Question| {
            asked.program == *program
                && asked.config == *config
                && (asked.task, asked.axes) == (sight.task, sight.axes)
        };
        if wanted.seen && self.studying.is_none() && !self.study_asked.as_ref().is_some_and(same) {
            let question = Question {
                program: program.clone(),
                config: config.clone(),
                task: sight.task,
                axes: sight.axes,
            };
            self.study_asked = Some(question.clone());
            let job = StudyJob::new(question, cx.paths.clone());
            let lane = Lane::Interactive("automl study");
            let name = "AutoML-Zero: watch a program learn";
            self.studying = Some(cx.worker.submit(lane, name, job));
        }
    }
}
