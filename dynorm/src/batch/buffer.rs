//! The buffer into which inputs are encoded.

use std::fmt;

use bytes::{Bytes, BytesMut};

use crate::codec::Encoder;

/// Encodes inputs one after another, and stores them in pieces of larger allocations, since an allocation for
/// each input would take as long as encoding it. A piece is freed when all of its inputs are settled.
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
    /// The size of a piece in bytes: enough for about twenty items of the usual size.
    const PIECE: usize = 8 * 1024;

    pub(super) fn new() -> Self {
        Self { encoder: Encoder::for_items(), piece: BytesMut::new() }
    }

    /// Returns the encoder for the next input.
    pub(super) fn encoder(&mut self) -> &mut Encoder {
        self.encoder.clear();
        &mut self.encoder
    }

    pub(super) fn written(&self) -> &[u8] {
        self.encoder.as_bytes()
    }

    /// Stores the encoded input, and returns it.
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
