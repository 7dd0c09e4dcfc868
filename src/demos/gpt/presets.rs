//! Prompts to begin with: few-shot tasks of the paper, small enough for a small model.

/// A prompt with the settings that suit it.
pub struct Preset {
    /// Its name.
    pub title: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// The text.
    pub prompt: &'static str,
    /// Where the answer ends.
    pub stop: &'static [&'static str],
    /// The most tokens to generate.
    pub max_tokens: usize,
    /// 0 where one answer is right.
    pub temperature: f32,
}

/// All presets; the first is the paper's own.
pub const PRESETS: &[Preset] = &[
    Preset {
        title: "Grammar correction",
        about: "The paper's figure 3.17: two corrected sentences, then one to correct",
        prompt: "Poor English input: I eated the purple berries.\n\
                 Good English output: I ate the purple berries.\n\
                 Poor English input: Thank you for picking me as your designer. I'd appreciate it.\n\
                 Good English output: Thank you for choosing me as your designer. I appreciate it.\n\
                 Poor English input: She no went to the market.\n\
                 Good English output:",
        stop: &["\n"],
        max_tokens: 32,
        temperature: 0.0,
    },
    Preset {
        title: "A poem",
        about: "The paper's figure F.1: a title after two poems by Wallace Stevens (1919 and 1915)",
        prompt: "Title: Anecdote of the Jar\n\
                 Author: Wallace Stevens\n\
                 Poem:\n\
                 I placed a jar in Tennessee,\n\
                 And round it was, upon a hill.\n\
                 It made the slovenly wilderness\n\
                 Surround that hill.\n\
                 \n\
                 The wilderness rose up to it,\n\
                 And sprawled around, no longer wild.\n\
                 The jar was round upon the ground\n\
                 And tall and of a port in air.\n\
                 \n\
                 It took dominion everywhere.\n\
                 The jar was gray and bare.\n\
                 It did not give of bird or bush,\n\
                 Like nothing else in Tennessee.\n\
                 ###\n\
                 Title: Disillusionment of Ten O'Clock\n\
                 Author: Wallace Stevens\n\
                 Poem:\n\
                 The houses are haunted\n\
                 By white night-gowns.\n\
                 None are green,\n\
                 Or purple with green rings,\n\
                 Or green with yellow rings,\n\
                 Or yellow with blue rings.\n\
                 None of them are strange,\n\
                 With socks of lace\n\
                 And beaded ceintures.\n\
                 People are not going\n\
                 To dream of baboons and periwinkles.\n\
                 Only, here and there, an old sailor,\n\
                 Drunk and asleep in his boots,\n\
                 Catches tigers\n\
                 In red weather.\n\
                 ###\n\
                 Title: Shadows on the Way\n\
                 Author: Wallace Stevens\n\
                 Poem:\n",
        stop: &["###"],
        max_tokens: 160,
        temperature: 1.0,
    },
    Preset {
        title: "Question answering",
        about: "Facts in the form of the paper's closed-book tests",
        prompt: "Q: Who wrote Hamlet?\n\
                 A: William Shakespeare\n\
                 \n\
                 Q: What is the largest planet of the solar system?\n\
                 A: Jupiter\n\
                 \n\
                 Q: In which year did the Second World War end?\n\
                 A: 1945\n\
                 \n\
                 Q: Who painted the Mona Lisa?\n\
                 A:",
        stop: &["\n"],
        max_tokens: 24,
        temperature: 0.0,
    },
    Preset {
        title: "Capitals",
        about: "Nothing says what the task is; three examples are enough",
        prompt: "France: Paris\n\
                 Japan: Tokyo\n\
                 Egypt: Cairo\n\
                 Italy:",
        stop: &["\n"],
        max_tokens: 8,
        temperature: 0.0,
    },
    Preset {
        title: "Arithmetic",
        about: "The paper's figure 3.10: only the largest models can; watch how unsure this one is",
        prompt: "Q: What is 48 plus 76?\n\
                 A: 124\n\
                 \n\
                 Q: What is 21 plus 13?\n\
                 A: 34\n\
                 \n\
                 Q: What is 35 plus 27?\n\
                 A:",
        stop: &["\n"],
        max_tokens: 8,
        temperature: 0.0,
    },
];
