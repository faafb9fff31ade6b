//! What a courier needs of whoever posts for it.

use std::future::Future;
use std::time::Duration;

/// What is posted.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    /// Of the event.
    pub(crate) id: String,
    /// Of the try, in seconds since 1970.
    pub(crate) timestamp: u64,
    /// Of all three.
    pub(crate) signature: String,
    /// JSON.
    pub(crate) body: String,
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
}

/// Posts to one endpoint.
pub(crate) trait Post: Send + 'static {
    /// Posts once. What failed if there is no answer is for people.
    fn post(&mut self, letter: Letter) -> impl Future<Output = Result<Answer, String>> + Send;
}
