//! Standard input that ends at Ctrl-C: a pipe may stay silent for hours, and what came before must not be lost.

use crate::interrupt;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

/// Bytes of one piece.
const PIECE: usize = 1 << 18;
/// Pieces that wait between the threads.
const PIECES: usize = 4;
/// How often Ctrl-C is looked for while nothing comes.
const PATIENCE: Duration = Duration::from_millis(50);

/// The reading end of a thread that reads standard input.
pub(super) struct Stdin {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: Vec<u8>,
    at: usize,
}

impl Stdin {
    /// Starts reading.
    pub(super) fn new() -> Self {
        let (sender, pieces) = sync_channel(PIECES);
        // The thread ends with the input, or with the process while a silent pipe holds it.
        std::thread::spawn(move || {
            let mut stdin = io::stdin().lock();
            loop {
                let mut piece = vec![0; PIECE];
                let read = stdin.read(&mut piece).map(|length| {
                    piece.truncate(length);
                    piece
                });
                let last = read.as_ref().map_or(true, Vec::is_empty);
                if sender.send(read).is_err() || last {
                    return;
                }
            }
        });
        Self { pieces, piece: Vec::new(), at: 0 }
    }

    /// Waits for the next piece; empty at the end of the input and after Ctrl-C.
    fn next_piece(&self) -> io::Result<Vec<u8>> {
        loop {
            match self.pieces.recv_timeout(PATIENCE) {
                Ok(piece) => return piece,
                Err(RecvTimeoutError::Timeout) if !interrupt::is_pressed() => {}
                Err(_) => return Ok(Vec::new()),
            }
        }
    }
}

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.piece.len() {
            self.piece = self.next_piece()?;
            self.at = 0;
        }
        let rest = self.piece.get(self.at..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), rest.get(..length)) {
            to.copy_from_slice(from);
        }
        self.at += length;
        Ok(length)
    }
}
