//! candle's own threads.

/// Keeps candle's operations on the thread that calls them.
///
/// candle 0.11 hands pieces of additions and multiplications of as few as 65,536 numbers to threads of its
/// own, beside rayon's, and both sides spin while they wait: on small nets more time goes into
/// that than into arithmetic, and more threads run than were asked for. Call it first thing in
/// `main`. A number that the environment sets stays.
pub fn keep_candle_single_threaded() {
    const NAME: &str = "CANDLE_NUM_THREADS";
    if std::env::var_os(NAME).is_none() {
        // SAFETY: it is called before any other thread exists, so that none reads the environment.
        unsafe { std::env::set_var(NAME, "1") };
    }
}
