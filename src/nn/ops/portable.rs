//! The operations put together from candle's own, for every device and type.
