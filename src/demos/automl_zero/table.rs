//! Tasks out of a CSV file of the person's own: numbers to learn from, a number or one of two
//! classes to predict.
//!
//! A tenth of the rows, at least one, is kept for the last check; every task learns from a draw of
//! the others in an order of its own. Columns are scaled to mean 0 and deviation 1, and so is a
//! number that is to be predicted, both by the rows that may be learnt from.

use std::fs;
use std::path::Path;

use super::lanes::Loss;
use super::scalar::Rules;
use super::search::Tasks;
use super::task::{Labelled, Size, Task, TaskSet};
use super::text::TextError;
use crate::data::batches::shuffle;
use crate::error::{Error, Result};
use crate::rng::Rng;

/// The largest file that is read, 64 MiB.
const MAX_BYTES: u64 = 64 << 20;
/// The largest number of columns besides the one to predict.
const MAX_FEATURES: usize = 32;
/// The fewest rows that make tasks.
const MIN_ROWS: usize = 20;

/// A table of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The names of the columns to learn from.
    pub columns: Vec<String>,
    /// The name of the column to predict.
    pub target: String,
    /// The two classes, where it is not a number.
    pub classes: Option<[String; 2]>,
    rows: Labelled,
}

impl Table {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::BadFile`] with line and column of what is wrong.
    pub fn read(path: &Path, target: Option<&str>) -> Result<Self> {
        let meta = fs::metadata(path).map_err(Error::io("cannot read the table", path))?;
        if !meta.is_file() || meta.len() > MAX_BYTES {
            let most = MAX_BYTES >> 20;
            return Err(Error::bad_file(
                path,
                format!("not a file of at most {most} MiB"),
            ));
        }
        let bytes = fs::read(path).map_err(Error::io("cannot read the table", path))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            Error::bad_file(
                path,
                format!("not text (UTF-8): byte {at} is no part of a character"),
            )
        })?;
        Self::parse(&text, target).map_err(|error| Error::bad_file(path, error.to_string()))
    }

    /// Reads a text: fields between commas or, where the first line has one, semicolons or tabs; a
    /// first line of names if one of its fields is no number. `target` is the name or the number,
    /// from 1, of the column to predict, the last if not given.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(text: &str, target: Option<&str>) -> Result<Self, TextError> {
        let separator = separator(text);
        let mut lines = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty());
        let Some((first_number, first)) = lines.next() else {
            return Err(wrong(1, 1, "the table is empty"));
        };
        let first = fields(first, separator, first_number + 1)?;
        let width = first.len();
        let named = first.iter().any(|field| field.text.parse::<f64>().is_err())
            && !only_target_is_text(&first, target);
        let names: Vec<String> = if named {
            first.iter().map(|field| field.text.clone()).collect()
        } else {
            (1..=width).map(|index| format!("column {index}")).collect()
        };
        let chosen = target_index(&names, target)?;
        check_width(width, first_number + 1)?;
        let mut rows = Vec::new();
        if !named {
            rows.push(first);
        }
        for (number, line) in lines {
            let row = fields(line, separator, number + 1)?;
            if row.len() != width {
                let column = row.last().map_or(1, |field| field.column);
                let message = format!("{} fields where the first line has {width}", row.len());
                return Err(wrong(number + 1, column, &message));
            }
            rows.push(row);
        }
        Self::from_fields(names, chosen, &rows)
    }

    fn from_fields(
        names: Vec<String>,
        chosen: usize,
        rows: &[Vec<Field>],
    ) -> Result<Self, TextError> {
        if rows.len() < MIN_ROWS {
            let line = rows
                .last()
                .and_then(|row| row.last())
                .map_or(1, |field| field.line);
            let message = format!("{} rows, at least {MIN_ROWS} make tasks", rows.len());
            return Err(wrong(line, 1, &message));
        }
        let labels: Vec<&Field> = rows.iter().map(|row| &row[chosen]).collect();
        let classes = classes(&labels)?;
        let mut examples = Labelled::new();
        for row in rows {
            let mut features = Vec::new();
            for (index, field) in row.iter().enumerate() {
                if index != chosen {
                    features.push(field.number()?);
                }
            }
            let label = match &classes {
                Some([_, second]) => f32::from(u8::from(row[chosen].text == *second)),
                None => row[chosen].number()?,
            };
            // A vector has two numbers at least.
            if features.len() == 1 {
                features.push(0.0);
            }
            examples.push((features, label));
        }
        let mut columns = names;
        let target = columns.remove(chosen);
        Ok(Self {
            columns,
            target,
            classes,
            rows: examples,
        })
    }

    /// Numbers of an example.
    #[must_use]
    pub fn features(&self) -> usize {
        self.rows.first().map_or(2, |row| row.0.len())
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row, which no table has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How predictions are judged.
    #[must_use]
    pub fn loss(&self) -> Loss {
        if self.classes.is_some() {
            Loss::Accuracy
        } else {
            Loss::Squared
        }
    }
}

/// A field and where it begins.
struct Field {
    text: String,
    line: usize,
    column: usize,
}

impl Field {
    fn number(&self) -> Result<f32, TextError> {
        match self.text.parse::<f32>() {
            Ok(value) if value.is_finite() => Ok(value),
            _ if self.text.is_empty() => Err(wrong(self.line, self.column, "a number is missing")),
            _ => {
                let shown: String = self.text.chars().take(20).collect();
                Err(wrong(
                    self.line,
                    self.column,
                    &format!("{shown:?} is not a number"),
                ))
            }
        }
    }
}

fn wrong(line: usize, column: usize, message: &str) -> TextError {
    TextError {
        line,
        column,
        message: message.to_owned(),
    }
}

fn separator(text: &str) -> char {
    let first = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    [',', ';', '\t']
        .into_iter()
        .find(|sign| first.contains(*sign))
        .unwrap_or(',')
}

/// The fields of a line; quotes keep separators, two of them are one.
fn fields(line: &str, separator: char, number: usize) -> Result<Vec<Field>, TextError> {
    let chars: Vec<char> = line.chars().collect();
    let mut fields = Vec::new();
    let mut at = 0;
    loop {
        let column = at + 1;
        let mut text = String::new();
        while chars.get(at).is_some_and(|c| *c == ' ') {
            at += 1;
        }
        if chars.get(at) == Some(&'"') {
            at = quoted(&chars, at, &mut text)
                .ok_or_else(|| wrong(number, column, "the quotes are not closed"))?;
            if chars
                .get(at)
                .is_some_and(|c| *c != separator && !c.is_whitespace())
            {
                return Err(wrong(number, at + 1, "text behind the closing quotes"));
            }
        }
        while let Some(c) = chars.get(at).filter(|c| **c != separator) {
            text.push(*c);
            at += 1;
        }
        fields.push(Field {
            text: text.trim().to_owned(),
            line: number,
            column,
        });
        if at >= chars.len() {
            return Ok(fields);
        }
        at += 1;
    }
}

/// Reads from an opening quote to behind the closing one.
fn quoted(chars: &[char], mut at: usize, text: &mut String) -> Option<usize> {
    at += 1;
    loop {
        match (chars.get(at)?, chars.get(at + 1)) {
            ('"', Some('"')) => {
                text.push('"');
                at += 2;
            }
            ('"', _) => return Some(at + 1),
            (c, _) => {
                text.push(*c);
                at += 1;
            }
        }
    }
}

/// Whether a first line can be a row: only the column to predict is text.
fn only_target_is_text(first: &[Field], target: Option<&str>) -> bool {
    let index = match target {
        None => first.len().checked_sub(1),
        Some(target) => target
            .parse::<usize>()
            .ok()
            .and_then(|index| index.checked_sub(1)),
    };
    let text = |field: &Field| field.text.parse::<f64>().is_err();
    first.len() > 1
        && index.is_some_and(|index| {
            first
                .iter()
                .enumerate()
                .all(|(at, field)| text(field) == (at == index))
        })
}

fn target_index(names: &[String], target: Option<&str>) -> Result<usize, TextError> {
    let Some(target) = target else {
        return Ok(names.len() - 1);
    };
    let by_name = names.iter().position(|name| name == target);
    let by_number = || {
        target
            .parse::<usize>()
            .ok()
            .and_then(|n| n.checked_sub(1))
            .filter(|n| *n < names.len())
    };
    by_name
        .or_else(by_number)
        .ok_or_else(|| wrong(1, 1, &format!("there is no column {target:?} to predict")))
}

fn check_width(width: usize, line: usize) -> Result<(), TextError> {
    match width {
        0 | 1 => Err(wrong(
            line,
            1,
            "one column, a table needs one to learn from and one to predict",
        )),
        width if width > MAX_FEATURES + 1 => {
            let message = format!("{width} columns, at most {MAX_FEATURES} are learnt from");
            Err(wrong(line, 1, &message))
        }
        _ => Ok(()),
    }
}

/// The two classes of labels that are not all numbers, or that are 0 and 1.
fn classes(labels: &[&Field]) -> Result<Option<[String; 2]>, TextError> {
    let numbers: Vec<Option<f32>> = labels.iter().map(|label| label.text.parse().ok()).collect();
    if numbers.iter().all(Option::is_some) {
        let bits = [0.0, 1.0].map(f32::to_bits);
        let zero_or_one = |x: &Option<f32>| x.is_some_and(|x| bits.contains(&x.to_bits()));
        if !numbers.iter().all(zero_or_one) {
            return Ok(None);
        }
    }
    let mut found: Vec<&str> = Vec::new();
    for label in labels {
        if label.text.is_empty() {
            return Err(wrong(
                label.line,
                label.column,
                "the value to predict is missing",
            ));
        }
        if !found.contains(&label.text.as_str()) {
            if found.len() == 2 {
                let message = format!(
                    "{:?} is neither a number nor one of the two classes {:?} and {:?}",
                    label.text, found[0], found[1]
                );
                return Err(wrong(label.line, label.column, &message));
            }
            found.push(&label.text);
        }
    }
    found.sort_unstable();
    if let [first, second] = found[..] {
        return Ok(Some([first.to_owned(), second.to_owned()]));
    }
    let (line, column) = labels
        .first()
        .map_or((1, 1), |label| (label.line, label.column));
    Err(wrong(
        line,
        column,
        "every row has the same value to predict",
    ))
}

/// Tasks out of a table.
pub struct TableTasks {
    learnt: Labelled,
    kept: Labelled,
    rules: Rules,
    epochs: u32,
    size: Size,
    count: usize,
    seed: u64,
}

impl TableTasks {
    /// `count` tasks for a search; sizes that are 0 follow from the number of rows.
    #[must_use]
    pub fn new(
        table: &Table,
        [train, valid]: [usize; 2],
        epochs: u32,
        max_error: f32,
        count: usize,
        seed: u64,
    ) -> Self {
        let mut order: Vec<u32> = (0..table.len() as u32).collect();
        shuffle(&mut order, &mut Rng::new(seed).split("kept rows"));
        let (kept, learnt) = order.split_at((table.len() / 10).max(1));
        let rows = |indices: &[u32]| {
            indices
                .iter()
                .map(|i| table.rows[*i as usize].clone())
                .collect()
        };
        let (mut learnt, mut kept): (Labelled, Labelled) = (rows(learnt), rows(kept));
        scale(&mut learnt, &mut kept, table.loss() == Loss::Squared);
        let valid = if valid == 0 {
            learnt.len() / 5
        } else {
            valid.min(learnt.len() / 2)
        }
        .max(1);
        let most = learnt.len() - valid;
        let train = if train == 0 { most } else { train.min(most) };
        Self {
            size: Size {
                features: table.features(),
                train,
                valid,
            },
            rules: Rules {
                loss: table.loss(),
                max_error,
            },
            learnt,
            kept,
            epochs,
            count,
            seed,
        }
    }

    fn drawn(&self, label: &str) -> TaskSet {
        let root = Rng::new(self.seed).split(label);
        let tasks = (0..self.count).map(|index| {
            let mut rng = root.split(&format!("task {index}"));
            let mut rows = self.learnt.clone();
            shuffle_rows(&mut rows, &mut rng);
            let valid = rows
                .split_off(self.size.train)
                .into_iter()
                .take(self.size.valid)
                .collect();
            Task::new(
                rng.next_u64() as u32,
                format!("order {}", index + 1),
                &rows,
                &valid,
            )
        });
        TaskSet::new(self.size, self.rules, self.epochs, tasks.collect())
    }
}

impl Tasks for TableTasks {
    fn search(&self, experiment: u32) -> TaskSet {
        self.drawn(&format!("search {experiment}"))
    }

    fn select(&self) -> TaskSet {
        self.drawn("select")
    }

    fn unseen(&self) -> TaskSet {
        let root = Rng::new(self.seed).split("unseen");
        let size = Size {
            train: self.learnt.len(),
            valid: self.kept.len(),
            ..self.size
        };
        let tasks = (0..self.count).map(|index| {
            let mut rng = root.split(&format!("task {index}"));
            let mut rows = self.learnt.clone();
            shuffle_rows(&mut rows, &mut rng);
            Task::new(
                rng.next_u64() as u32,
                format!("rows kept, order {}", index + 1),
                &rows,
                &self.kept,
            )
        });
        TaskSet::new(size, self.rules, self.epochs, tasks.collect())
    }
}

fn shuffle_rows(rows: &mut Labelled, rng: &mut Rng) {
    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
    shuffle(&mut order, rng);
    *rows = order.iter().map(|i| rows[*i as usize].clone()).collect();
}

/// Scales columns, and labels where they are numbers, to mean 0 and deviation 1 of what may be
/// learnt from.
fn scale(learnt: &mut Labelled, kept: &mut Labelled, labels: bool) {
    let width = learnt.first().map_or(0, |row| row.0.len());
    for column in 0..width + usize::from(labels) {
        let get = |row: &(Vec<f32>, f32)| f64::from(row.0.get(column).copied().unwrap_or(row.1));
        let n = learnt.len().max(1) as f64;
        let mean = learnt.iter().map(get).sum::<f64>() / n;
        let variance = learnt
            .iter()
            .map(|row| (get(row) - mean).powi(2))
            .sum::<f64>()
            / n;
        let deviation = if variance > 0.0 { variance.sqrt() } else { 1.0 };
        for row in learnt.iter_mut().chain(kept.iter_mut()) {
            let value = ((get(row) - mean) / deviation) as f32;
            match row.0.get_mut(column) {
                Some(place) => *place = value,
                None => row.1 = value,
            }
        }
    }
}
