//! The thread that reads: rows in their order, in batches, with checkpoints between them.

use tokio::sync::mpsc;

use crate::dataset::{Input, Position, ReadOptions, ReadRow, Rejected, RowReader, SourceError};

/// How many rows travel together, so that the channel costs little.
const BATCH_ROWS: usize = 32;
/// How many bytes of rows travel together, so that memory stays bounded.
const BATCH_BYTES: u64 = 1 << 20;
/// How many batches wait; more would only be memory.
const BATCHES: usize = 4;
/// How many batches lie between two checkpoints.
const CHECKPOINT_EVERY: u64 = 8;

/// What the reader gives.
#[derive(Debug)]
pub(crate) enum Read {
    /// A row, good or bad.
    Row {
        line: u64,
        end: u64,
        result: Result<Box<ReadRow>, Rejected>,
    },
    /// Everything up to here was given.
    Checkpoint { position: Position, rows: u64 },
}

/// Where reading begins and ends.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    /// Where an earlier process stopped.
    pub(crate) after: Option<Position>,
    /// Rows before that.
    pub(crate) rows_before: u64,
    /// The most rows in all.
    pub(crate) limit: Option<u64>,
}

/// A reader under way.
#[derive(Debug)]
pub(crate) struct Reading {
    /// Whether it could go on where an earlier process stopped.
    pub(crate) resumed: bool,
    /// What it gives, batch by batch; it ends with the input or an error.
    pub(crate) batches: mpsc::Receiver<Result<Vec<Read>, SourceError>>,
}

/// Starts reading in a thread of its own.
pub(crate) async fn read(
    input: Input,
    options: ReadOptions,
    span: Span,
) -> Result<Reading, SourceError> {
    let (sender, batches) = mpsc::channel(BATCHES);
    let (started, start) = tokio::sync::oneshot::channel();
    tokio::task::spawn_blocking(move || {
        let mut reader = RowReader::new(input, options);
        let resumed = match &span.after {
            Some(position) => reader.resume_at(position),
            None => Ok(false),
        };
        let rows = match &resumed {
            Ok(true) => span.rows_before,
            _ => 0,
        };
        let go_on = resumed.is_ok();
        if started.send(resumed).is_ok() && go_on {
            give(&mut reader, rows, span.limit, &sender);
        }
    });
    // A reader that ends without a word has panicked; the closed channel then says so.
    let resumed = start.await.unwrap_or(Ok(false))?;
    Ok(Reading { resumed, batches })
}

fn give(
    reader: &mut RowReader,
    mut rows: u64,
    limit: Option<u64>,
    sender: &mpsc::Sender<Result<Vec<Read>, SourceError>>,
) {
    for batch_number in 1_u64.. {
        let mut batch = Vec::with_capacity(BATCH_ROWS + 1);
        let (mut first, mut ended) = (None, false);
        while batch.len() < BATCH_ROWS {
            if limit.is_some_and(|limit| rows >= limit) {
                ended = true;
                break;
            }
            match reader.next_row() {
                Ok(Some(read)) => {
                    rows += 1;
                    let begin = *first.get_or_insert(read.end);
                    let end = read.end;
                    batch.push(Read::Row {
                        line: read.line,
                        end,
                        result: read.result.map(Box::new),
                    });
                    if end - begin > BATCH_BYTES {
                        break;
                    }
                }
                Ok(None) => {
                    ended = true;
                    break;
                }
                Err(error) => {
                    let _ = sender.blocking_send(Ok(batch));
                    let _ = sender.blocking_send(Err(error));
                    return;
                }
            }
        }
        if ended || batch_number % CHECKPOINT_EVERY == 0 {
            batch.push(Read::Checkpoint {
                position: reader.position(),
                rows,
            });
        }
        if sender.blocking_send(Ok(batch)).is_err() || ended {
            return;
        }
    }
}
