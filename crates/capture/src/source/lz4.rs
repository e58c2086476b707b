//! LZ4 frames one after another. The decoder of the library stops at the end of each frame, and takes a frame that is
//! cut between two blocks for complete; both are mended here.

use std::io::{self, BufRead, Read};

use lz4_flex::frame::FrameDecoder;

/// A frame without content.
const EMPTY_FRAME: [u8; 11] = [0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0xc0, 0, 0, 0, 0];

/// Reads all frames.
pub(super) struct Decoder<R: BufRead> {
    frames: FrameDecoder<WithEnd<R>>,
    done: bool,
}

impl<R: BufRead> Decoder<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { frames: FrameDecoder::new(WithEnd { inner, end: &[], ended: false }), done: false }
    }
}

impl<R: BufRead> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.done && !buffer.is_empty() {
            let read = self.frames.read(buffer)?;
            if read > 0 {
                return Ok(read);
            }
            let input = self.frames.get_mut();
            if input.inner.fill_buf()?.is_empty() {
                // An empty frame follows well behind a complete frame; inside a frame it is an impossible block.
                if !input.ended {
                    input.ended = true;
                    input.end = &EMPTY_FRAME;
                    match self.frames.read(buffer) {
                        Ok(0) => {}
                        _ => return Err(io::ErrorKind::UnexpectedEof.into()),
                    }
                }
                self.done = true;
            }
        }
        Ok(0)
    }
}

/// The input, and behind it `end`.
struct WithEnd<R> {
    inner: R,
    end: &'static [u8],
    ended: bool,
}

impl<R: Read> Read for WithEnd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended { self.end.read(buffer) } else { self.inner.read(buffer) }
    }
}
