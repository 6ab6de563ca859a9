//! The bytes of an answer, as a thread that may block takes them; only so many are on the way.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::error::RemoteError;
use super::wait::{blocking, spawn};

/// How many bytes may wait to be taken.
const WAITING_BYTES: usize = 4 << 20;

/// Bytes as they come from the network.
pub(super) type Chunks = BoxStream<'static, Result<Bytes, RemoteError>>;

/// Takes what comes from the network ahead of its reader.
pub(super) struct Body {
    chunks: Receiver<Result<Bytes, RemoteError>>,
    room: Arc<Semaphore>,
    task: Option<JoinHandle<()>>,
}

impl Body {
    /// Begins to take what `chunks` gives.
    pub(super) fn new(mut chunks: Chunks) -> Self {
        let (sender, receiver) = channel();
        let room = Arc::new(Semaphore::new(WAITING_BYTES));
        let free = Arc::clone(&room);
        let task = spawn(async move {
            while let Some(chunk) = chunks.next().await {
                let length = chunk.as_ref().map_or(0, Bytes::len);
                match free.acquire_many(permits(length)).await {
                    Ok(permit) => permit.forget(),
                    Err(_) => return,
                }
                if sender.send(chunk).is_err() {
                    return;
                }
            }
        });
        Self {
            chunks: receiver,
            room,
            task,
        }
    }

    /// The next bytes, or nothing at the end.
    pub(super) fn next(&mut self) -> Option<Result<Bytes, RemoteError>> {
        let chunk = match self.chunks.try_recv() {
            Ok(chunk) => chunk,
            Err(_) => blocking(|| self.chunks.recv()).ok()?,
        };
        let length = chunk.as_ref().map_or(0, Bytes::len);
        self.room.add_permits(permits(length) as usize);
        Some(chunk)
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// What bytes take of the room: never more than there is.
fn permits(length: usize) -> u32 {
    let most = u32::try_from(WAITING_BYTES).unwrap_or(u32::MAX);
    u32::try_from(length).map_or(most, |length| length.min(most))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::stream;

    use super::*;

    #[test]
    fn all_bytes_come_and_few_wait() {
        let given = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&given);
        let chunks = stream::iter(0..100).map(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            Ok(Bytes::from(vec![7; 1 << 20]))
        });
        let mut body = Body::new(chunks.boxed());
        let mut taken = 0;
        while let Some(chunk) = body.next() {
            assert_eq!(chunk.unwrap().len(), 1 << 20);
            taken += 1;
            let ahead = given.load(Ordering::SeqCst) - taken;
            assert!(ahead <= 6, "{ahead} MiB are ahead of the reader");
        }
        assert_eq!(taken, 100);
    }
}
