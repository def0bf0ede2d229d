//! Where inputs are encoded.

use std::fmt;

use bytes::{Bytes, BytesMut};

use crate::codec::Encoder;

/// Inputs are written into one encoder, one after another, and kept in pieces of larger allocations: one for each would take as
/// long as writing it. A piece is in memory until all of its inputs are settled.
pub struct Buffer {
    encoder: Encoder,
    piece: BytesMut,
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").finish_non_exhaustive()
    }
}

impl Buffer {
    /// What most users of the allocator do not ask for, and some twenty items of the usual size.
    const PIECE: usize = 8 * 1024;

    pub(super) fn new() -> Self {
        Self { encoder: Encoder::for_items(), piece: BytesMut::new() }
    }

    /// To write the next input.
    pub(super) fn encoder(&mut self) -> &mut Encoder {
        self.encoder.clear();
        &mut self.encoder
    }

    pub(super) fn written(&self) -> &[u8] {
        self.encoder.as_bytes()
    }

    /// What was written, to be kept.
    pub(super) fn keep(&mut self) -> Bytes {
        let written = self.encoder.as_bytes();
        if self.piece.capacity() < written.len() {
            self.piece.reserve(written.len().max(Self::PIECE));
        }
        self.piece.extend_from_slice(written);
        self.piece.split().freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::Buffer;

    #[test]
    fn what_is_kept_stays_as_it_was_written() {
        let mut buffer = Buffer::new();
        let texts: Vec<String> =
            (0..400).map(|n: usize| "é0123456789".repeat(n * n % 1500)).chain([String::new()]).collect();
        let kept: Vec<_> = texts
            .iter()
            .map(|text| {
                buffer.encoder().raw(text.as_bytes());
                assert_eq!(buffer.written(), text.as_bytes());
                buffer.keep()
            })
            .collect();
        for (kept, text) in kept.iter().zip(&texts) {
            assert_eq!(kept, text.as_bytes());
        }
    }
}
