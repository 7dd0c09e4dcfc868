//! Text to token ids and back, from a GGUF file's own vocabulary.
//!
//! Two kinds: byte-level byte-pair encoding (`gpt2`, Radford et al. 2019, section 2.2; merges by
//! rank) and `SentencePiece` style (`llama`; merges by score). Ids must equal llama.cpp's for any
//! bytes, also those that are not UTF-8, so its order of steps is kept: special tokens are cut
//! out of the raw bytes first, then each piece is split into words (`split.rs`), then merged.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::sync::LazyLock;

use super::gguf::Gguf;
use super::split::SplitRule;
use crate::error::Result;

/// What a token is, as `tokenizer.ggml.token_type` numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TokenKind {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
}

enum Kind {
    /// Byte-level byte-pair encoding.
    Bpe {
        rule: SplitRule,
        /// A word that is a token as a whole is not merged (Llama 3).
        whole_words: bool,
        merges: HashMap<(Symbol, Symbol), Merge>,
    },
    /// Pairs merge by the score of the token they make.
    SentencePiece {
        scores: Vec<f32>,
        space_prefix: bool,
    },
}

/// An interned piece of text that takes part in merges.
type Symbol = u32;

#[derive(Clone, Copy)]
struct Merge {
    rank: u32,
    merged: Symbol,
}

/// A vocabulary and its rules.
pub struct Tokenizer {
    kind: Kind,
    tokens: Vec<Vec<u8>>,
    kinds: Vec<TokenKind>,
    ids: HashMap<Vec<u8>, u32>,
    /// Symbols beyond the vocabulary, which only the merges name.
    symbols: HashMap<Vec<u8>, Symbol>,
    /// What is cut out of the text first, longest first.
    special: Vec<u32>,
    bos: Option<u32>,
    eos: Option<u32>,
    add_bos: bool,
    add_eos: bool,
    ends: HashSet<u32>,
}

/// Texts that end a generation whatever the file says of them.
const END_TEXTS: &[&str] = &[
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<eos>",
];
/// Texts of fill-in-the-middle padding and of borders between files, which end one too.
const FILE_BORDER_TEXTS: &[&str] = &[
    "<|fim_pad|>",
    "<fim-pad>",
    "<fim_pad>",
    "<PAD>",
    "[PAD]",
    "<|fim_repo|>",
    "<|repo_name|>",
    "<fim-repo>",
    "<REPO>",
    "<reponame>",
    "<|file_sep|>",
];

impl Tokenizer {
    /// Reads the vocabulary.
    ///
    /// # Errors
    /// When it is missing, damaged or of a kind this program does not know, by name.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self> {
        let tokens: Vec<Vec<u8>> = gguf
            .byte_strings("tokenizer.ggml.tokens")?
            .filter(|t| !t.is_empty())
            .ok_or_else(|| gguf.error("the file has no vocabulary"))?
            .into_iter()
            .enumerate()
            .map(|(i, t)| {
                if t.is_empty() {
                    format!("[EMPTY_{i}]").into_bytes()
                } else {
                    t.to_vec()
                }
            })
            .collect();
        if tokens.len() > MAX_VOCABULARY {
            return Err(gguf.error(format!(
                "a vocabulary of {} tokens is not possible",
                tokens.len()
            )));
        }
        let mut ids = HashMap::with_capacity(tokens.len());
        for (id, token) in tokens.iter().enumerate() {
            ids.insert(token.clone(), id as u32);
        }
        let mut kinds = read_kinds(gguf, tokens.len())?;
        let mut ends = HashSet::new();
        for text in END_TEXTS.iter().chain(FILE_BORDER_TEXTS) {
            if let Some(id) = ids.get(text.as_bytes()) {
                ends.insert(*id);
                if END_TEXTS.contains(text) {
                    kinds[*id as usize] = TokenKind::Control;
                }
            }
        }
        let mut symbols = HashMap::new();
        let model = gguf.text("tokenizer.ggml.model")?.unwrap_or("");
        let (kind, defaults) = match model {
            "gpt2" => read_bpe(gguf, &ids, &mut symbols)?,
            "llama" => read_sentence_piece(gguf, tokens.len())?,
            "" => return Err(gguf.error("the file does not name its tokenizer")),
            other => {
                return Err(gguf.error(format!(
                    "the tokenizer `{other}` is not supported, only `gpt2` and `llama` are"
                )));
            }
        };
        let mut special: Vec<u32> = (0..tokens.len() as u32)
            .filter(|id| {
                use TokenKind::{Control, Unknown, UserDefined};
                matches!(kinds[*id as usize], Control | Unknown | UserDefined)
            })
            .collect();
        special.sort_by_key(|id| Reverse(tokens[*id as usize].len()));

        let id = |key: &str, default: Option<u32>| -> Result<Option<u32>> {
            match gguf.count(&format!("tokenizer.ggml.{key}_token_id"))? {
                None => Ok(default.filter(|id| (*id as usize) < tokens.len())),
                Some(id) if id < tokens.len() as u64 => Ok(Some(id as u32)),
                Some(id) => {
                    Err(gguf.error(format!("the {key} token {id} is not in the vocabulary")))
                }
            }
        };
        let bos = id("bos", defaults.bos)?;
        let eos = id("eos", defaults.eos)?;
        ends.extend(eos);
        for key in ["eot", "eom"] {
            ends.extend(id(key, None)?);
        }
        let add_bos = gguf
            .flag("tokenizer.ggml.add_bos_token")?
            .unwrap_or(defaults.add_bos);
        let add_eos = gguf.flag("tokenizer.ggml.add_eos_token")?.unwrap_or(false);
        Ok(Self {
            kind,
            tokens,
            kinds,
            ids,
            symbols,
            special,
            bos,
            eos,
            add_bos,
            add_eos,
            ends,
        })
    }

    /// Tokens in the vocabulary.
    #[must_use]
    pub fn vocabulary_len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether a generated token ends the text.
    #[must_use]
    pub fn is_end(&self, id: u32) -> bool {
        self.ends.contains(&id)
    }

    /// The ids of a text, with a start token where the model asks for one and the texts of
    /// special tokens read as those tokens.
    #[must_use]
    pub fn encode(&self, text: &[u8]) -> Vec<u32> {
        let mut ids = Vec::new();
        if self.add_bos {
            ids.extend(self.bos);
        }
        // At the start and behind a special token `SentencePiece` puts a space before the text.
        let mut after_special = true;
        for piece in self.partition(text) {
            match piece {
                Piece::Special(id) => ids.push(id),
                Piece::Raw(raw) => self.encode_raw(raw, after_special, &mut ids),
            }
            after_special = matches!(piece, Piece::Special(_));
        }
        if self.add_eos {
            ids.extend(self.eos);
        }
        ids
    }

    /// Cuts the special tokens out, the longest first.
    fn partition<'t>(&self, text: &'t [u8]) -> Vec<Piece<'t>> {
        let mut pieces = if text.is_empty() {
            vec![]
        } else {
            vec![Piece::Raw(text)]
        };
        for id in &self.special {
            let needle = self.tokens[*id as usize].as_slice();
            if !pieces
                .iter()
                .any(|p| matches!(p, Piece::Raw(raw) if find(raw, needle).is_some()))
            {
                continue;
            }
            let mut cut = Vec::with_capacity(pieces.len() + 2);
            for piece in pieces {
                let Piece::Raw(mut rest) = piece else {
                    cut.push(piece);
                    continue;
                };
                while let Some(at) = find(rest, needle) {
                    if at > 0 {
                        cut.push(Piece::Raw(&rest[..at]));
                    }
                    cut.push(Piece::Special(*id));
                    rest = &rest[at + needle.len()..];
                }
                if !rest.is_empty() {
                    cut.push(Piece::Raw(rest));
                }
            }
            pieces = cut;
        }
        pieces
    }

    fn encode_raw(&self, raw: &[u8], after_special: bool, ids: &mut Vec<u32>) {
        match &self.kind {
            Kind::Bpe {
                rule,
                whole_words,
                merges,
            } => {
                let points = decode_leniently(raw);
                for word in rule.split(&points) {
                    let encoded = byte_level(&points[word]);
                    match self.ids.get(encoded.as_bytes()) {
                        Some(id) if *whole_words => ids.push(*id),
                        _ => self.merge_by_rank(&encoded, merges, ids),
                    }
                }
            }
            Kind::SentencePiece {
                scores,
                space_prefix,
            } => {
                let mut text = Vec::with_capacity(raw.len() + 3);
                if *space_prefix && after_special {
                    text.extend_from_slice(SPM_SPACE);
                }
                for byte in raw {
                    if *byte == b' ' {
                        text.extend_from_slice(SPM_SPACE);
                    } else {
                        text.push(*byte);
                    }
                }
                self.merge_by_score(&text, scores, ids);
            }
        }
    }

    fn symbol(&self, text: &[u8]) -> Option<Symbol> {
        self.ids
            .get(text)
            .or_else(|| self.symbols.get(text))
            .copied()
    }

    fn merge_by_rank(
        &self,
        word: &str,
        merges: &HashMap<(Symbol, Symbol), Merge>,
        ids: &mut Vec<u32>,
    ) {
        let bounds = word.char_indices().map(|(at, c)| (at, at + c.len_utf8()));
        let mut chain = Chain::new(bounds);
        let mut symbols: Vec<Option<Symbol>> = chain
            .links
            .iter()
            .map(|l| self.symbol(&word.as_bytes()[l.start..l.end]))
            .collect();
        let pair = |left: usize, right: usize, symbols: &[Option<Symbol>]| {
            merges.get(&(symbols[left]?, symbols[right]?)).copied()
        };
        let mut queue = BinaryHeap::new();
        for left in 1..chain.links.len() {
            if let Some(merge) = pair(left - 1, left, &symbols) {
                queue.push(Reverse((merge.rank, left - 1, left, merge.merged)));
            }
        }
        while let Some(Reverse((rank, left, right, merged))) = queue.pop() {
            // Either side may have grown or gone since the pair was queued.
            if chain.next(left) != Some(right)
                || pair(left, right, &symbols).is_none_or(|m| m.rank != rank)
            {
                continue;
            }
            chain.join(left, right);
            symbols[left] = Some(merged);
            for (l, r) in [
                (chain.previous(left), Some(left)),
                (Some(left), chain.next(left)),
            ] {
                if let (Some(l), Some(r)) = (l, r)
                    && let Some(merge) = pair(l, r, &symbols)
                {
                    queue.push(Reverse((merge.rank, l, r, merge.merged)));
                }
            }
        }
        for link in chain.iter() {
            let text = &word.as_bytes()[link.start..link.end];
            match self.ids.get(text) {
                Some(id) => ids.push(*id),
                // A byte without a token of its own is dropped, as llama.cpp does.
                None => ids.extend(
                    text.iter()
                        .filter_map(|byte| self.ids.get([*byte].as_slice())),
                ),
            }
        }
    }

    fn merge_by_score(&self, text: &[u8], scores: &[f32], ids: &mut Vec<u32>) {
        let mut bounds = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let len = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4][usize::from(text[at] >> 4)];
            let end = (at + len).min(text.len());
            bounds.push((at, end));
            at = end;
        }
        let mut chain = Chain::new(bounds.into_iter());
        // Higher scores first, then from the left. The length tells stale pairs.
        let candidate = |chain: &Chain, left: usize, right: usize| {
            let (start, end) = (chain.links[left].start, chain.links[right].end);
            let id = self.ids.get(&text[start..end])?;
            let score = Score(scores.get(*id as usize).copied().unwrap_or(0.0));
            Some((score, Reverse(left), right, end - start))
        };
        let mut queue: BinaryHeap<_> = (1..chain.links.len())
            .filter_map(|right| candidate(&chain, right - 1, right))
            .collect();
        while let Some((_, Reverse(left), right, len)) = queue.pop() {
            let whole = |c: &Chain| c.links[right].end - c.links[left].start;
            if chain.next(left) != Some(right) || whole(&chain) != len {
                continue;
            }
            chain.join(left, right);
            let previous = chain
                .previous(left)
                .and_then(|l| candidate(&chain, l, left));
            let next = chain.next(left).and_then(|r| candidate(&chain, left, r));
            queue.extend(previous.into_iter().chain(next));
        }
        for link in chain.iter() {
            let piece = &text[link.start..link.end];
            match self.ids.get(piece) {
                Some(id) => ids.push(*id),
                None => ids.extend(piece.iter().filter_map(|byte| self.byte_token(*byte))),
            }
        }
    }

    fn byte_token(&self, byte: u8) -> Option<u32> {
        let named = format!("<0x{byte:02X}>");
        self.ids
            .get(named.as_bytes())
            .or_else(|| self.ids.get([byte].as_slice()))
            .copied()
    }

    /// The bytes a token stands for; a part of a character is possible. Special tokens give their
    /// text when `special` is set and nothing otherwise.
    #[must_use]
    pub fn piece(&self, id: u32, special: bool) -> Vec<u8> {
        let Some(token) = self.tokens.get(id as usize) else {
            return Vec::new();
        };
        match self.kinds[id as usize] {
            TokenKind::Control | TokenKind::Unknown if !special => Vec::new(),
            TokenKind::Control | TokenKind::Unknown | TokenKind::UserDefined => token.clone(),
            TokenKind::Unused => Vec::new(),
            TokenKind::Byte => hex_byte(token).map_or_else(Vec::new, |byte| vec![byte]),
            TokenKind::Normal => match &self.kind {
                Kind::Bpe { .. } => unbyte_level(token),
                Kind::SentencePiece { .. } => replace_all(token, SPM_SPACE, b" "),
            },
        }
    }
}

/// No model's vocabulary is larger.
const MAX_VOCABULARY: usize = 4 << 20;
/// `SentencePiece` writes a space as U+2581.
const SPM_SPACE: &[u8] = "\u{2581}".as_bytes();

#[derive(Clone, Copy)]
enum Piece<'t> {
    Raw(&'t [u8]),
    Special(u32),
}

struct Defaults {
    bos: Option<u32>,
    eos: Option<u32>,
    add_bos: bool,
}

fn read_kinds(gguf: &Gguf, count: usize) -> Result<Vec<TokenKind>> {
    let Some(types) = gguf.integers("tokenizer.ggml.token_type")? else {
        return Ok(vec![TokenKind::Normal; count]);
    };
    if types.len() != count {
        return Err(gguf.error(format!("{count} tokens but {} token types", types.len())));
    }
    Ok(types
        .iter()
        .map(|t| match t {
            2 => TokenKind::Unknown,
            3 => TokenKind::Control,
            4 => TokenKind::UserDefined,
            5 => TokenKind::Unused,
            6 => TokenKind::Byte,
            _ => TokenKind::Normal,
        })
        .collect())
}

fn read_bpe(
    gguf: &Gguf,
    ids: &HashMap<Vec<u8>, u32>,
    symbols: &mut HashMap<Vec<u8>, Symbol>,
) -> Result<(Kind, Defaults)> {
    let name = gguf.text("tokenizer.ggml.pre")?.unwrap_or("default");
    let rule = SplitRule::from_name(name)
        .ok_or_else(|| gguf.error(format!("the word splitting rule `{name}` is not supported")))?;
    let lines = gguf
        .byte_strings("tokenizer.ggml.merges")?
        .ok_or_else(|| gguf.error("the file has no merges, which its tokenizer needs"))?;
    let first_own = ids.len() as u32;
    let mut intern = |text: &[u8]| {
        ids.get(text).copied().unwrap_or_else(|| {
            let next = first_own.saturating_add(symbols.len() as u32) | OWN_SYMBOL;
            *symbols.entry(text.to_vec()).or_insert(next)
        })
    };
    let mut merges = HashMap::with_capacity(lines.len());
    for (rank, line) in lines.iter().enumerate() {
        let Some(space) = line.iter().skip(1).position(|b| *b == b' ') else {
            continue;
        };
        let (left, right) = (&line[..=space], &line[space + 2..]);
        let merged = intern(&[left, right].concat());
        let pair = (intern(left), intern(right));
        merges.entry(pair).or_insert(Merge {
            rank: rank as u32,
            merged,
        });
    }
    let llama3 = rule == SplitRule::Llama3;
    // GPT-2's own numbers, which a file without any inherits.
    let defaults = Defaults {
        bos: Some(11),
        eos: Some(11),
        add_bos: llama3,
    };
    Ok((
        Kind::Bpe {
            rule,
            whole_words: llama3,
            merges,
        },
        defaults,
    ))
}

/// Set in symbols that are not tokens, so that the two never meet.
const OWN_SYMBOL: u32 = 1 << 31;

fn read_sentence_piece(gguf: &Gguf, count: usize) -> Result<(Kind, Defaults)> {
    let scores = gguf
        .numbers("tokenizer.ggml.scores")?
        .ok_or_else(|| gguf.error("the file has no scores, which its tokenizer needs"))?;
    if scores.len() != count {
        return Err(gguf.error(format!("{count} tokens but {} scores", scores.len())));
    }
    let space_prefix = gguf
        .flag("tokenizer.ggml.add_space_prefix")?
        .unwrap_or(true);
    let kind = Kind::SentencePiece {
        scores: scores.to_vec(),
        space_prefix,
    };
    Ok((
        kind,
        Defaults {
            bos: Some(1),
            eos: Some(2),
            add_bos: true,
        },
    ))
}

/// A text in links that join from the left, as both kinds of merging need it.
struct Chain {
    links: Vec<Link>,
}

#[derive(Clone, Copy)]
struct Link {
    start: usize,
    end: usize,
    previous: Option<usize>,
    next: Option<usize>,
    gone: bool,
}

impl Chain {
    fn new(bounds: impl Iterator<Item = (usize, usize)>) -> Self {
        let mut links: Vec<Link> = bounds
            .enumerate()
            .map(|(i, (start, end))| Link {
                start,
                end,
                previous: i.checked_sub(1),
                next: Some(i + 1),
                gone: false,
            })
            .collect();
        if let Some(last) = links.last_mut() {
            last.next = None;
        }
        Self { links }
    }

    /// The link behind one that is still there.
    fn next(&self, at: usize) -> Option<usize> {
        self.links[at].next.filter(|_| !self.links[at].gone)
    }

    fn previous(&self, at: usize) -> Option<usize> {
        self.links[at].previous
    }

    fn join(&mut self, left: usize, right: usize) {
        self.links[left].end = self.links[right].end;
        self.links[left].next = self.links[right].next;
        self.links[right].gone = true;
        if let Some(next) = self.links[right].next {
            self.links[next].previous = Some(left);
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(|l| !l.gone)
    }
}

/// A score that can be ordered; a file may hold any bits.
#[derive(PartialEq)]
struct Score(f32);

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// Where a byte string first stands in another; an empty one nowhere.
pub(super) fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    if needle.is_empty() || needle.len() > text.len() {
        return None;
    }
    text.windows(needle.len()).position(|w| w == needle)
}

fn replace_all(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = find(rest, from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}

fn hex_byte(token: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(token)
        .ok()?
        .strip_prefix("<0x")?
        .strip_suffix('>')?;
    u8::from_str_radix(digits, 16).ok()
}

/// Code points by their lead bytes; a byte that begins none stands for U+FFFD. Overlong forms and
/// surrogates pass, as in llama.cpp.
fn decode_leniently(bytes: &[u8]) -> Vec<u32> {
    let mut points = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let lead = bytes[at];
        let (len, bits) = match lead {
            0..0x80 => (1, u32::from(lead)),
            0xc0..0xe0 => (2, u32::from(lead & 0x1f)),
            0xe0..0xf0 => (3, u32::from(lead & 0x0f)),
            0xf0..0xf8 => (4, u32::from(lead & 0x07)),
            _ => (0, 0),
        };
        let point = bytes
            .get(at + 1..(at + len).max(at + 1))
            .filter(|_| len > 0)
            .and_then(|rest| {
                rest.iter().try_fold(bits, |p, b| {
                    (b & 0xc0 == 0x80).then(|| p << 6 | u32::from(b & 0x3f))
                })
            });
        match point {
            Some(point) if point <= 0x10_ffff => {
                points.push(point);
                at += len;
            }
            _ => {
                points.push(0xfffd);
                at += 1;
            }
        }
    }
    points
}

/// The UTF-8 bytes of code points, surrogates included.
fn encode_point(point: u32, mut byte: impl FnMut(u8)) {
    let tail = |shift: u32| 0x80 | (point >> shift & 0x3f) as u8;
    match point {
        0..0x80 => byte(point as u8),
        0x80..0x800 => [0xc0 | (point >> 6) as u8, tail(0)]
            .into_iter()
            .for_each(byte),
        0x800..0x1_0000 => [0xe0 | (point >> 12) as u8, tail(6), tail(0)]
            .into_iter()
            .for_each(byte),
        _ => [0xf0 | (point >> 18) as u8, tail(12), tail(6), tail(0)]
            .into_iter()
            .for_each(byte),
    }
}

/// GPT-2's printable stand-in for each byte: itself where it prints, else U+0100 and up in order.
static STAND_INS: LazyLock<[char; 256]> = LazyLock::new(|| {
    let mut others = (0x100..).filter_map(char::from_u32);
    std::array::from_fn(|i| {
        let byte = i as u8;
        let prints = matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
        if prints {
            char::from(byte)
        } else {
            others.next().unwrap_or(char::REPLACEMENT_CHARACTER)
        }
    })
});

static STOOD_FOR: LazyLock<HashMap<char, u8>> = LazyLock::new(|| {
    (0..=255)
        .map(|b: u8| (STAND_INS[usize::from(b)], b))
        .collect()
});

fn byte_level(points: &[u32]) -> String {
    let mut out = String::with_capacity(points.len() * 2);
    for point in points {
        encode_point(*point, |byte| out.push(STAND_INS[usize::from(byte)]));
    }
    out
}

/// The bytes behind a token's printable form; characters that stand for no byte are kept.
fn unbyte_level(token: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(token.len());
    for c in String::from_utf8_lossy(token).chars() {
        match STOOD_FOR.get(&c) {
            Some(byte) => bytes.push(*byte),
            None => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}
