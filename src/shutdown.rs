//! How a stop reaches every task.
