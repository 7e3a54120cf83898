//! The words in which a middleware asks for a key-value store and gets an answer. Who carries it out
//! (memory, Redis) is the caller's matter; without a store the answer is `Unavailable`.

use std::time::Duration;

use bytes::Bytes;

/// What a middleware may ask a store for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreOperation {
    /// The value under a key.
    Get {
        /// The key.
        key: Bytes,
    },
    /// Keep a value for a while.
    Put {
        /// The key.
        key: Bytes,
        /// The value.
        value: Bytes,
        /// How long it lives.
        ttl: Duration,
    },
    /// Count up; a key that does not exist starts at zero and lives for `ttl`.
    Increment {
        /// The key.
        key: Bytes,
        /// The step.
        by: u64,
        /// How long a new key lives.
        ttl: Duration,
    },
}

/// What a store answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreAnswer {
    /// The value, if there is one; `None` also confirms a `Put`.
    Value(Option<Bytes>),
    /// The count after an `Increment`.
    Count(u64),
    /// There is no store, or it does not answer. A cache goes on without; a guard decides what is safe.
    Unavailable,
}
