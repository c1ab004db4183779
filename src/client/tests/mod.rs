//! The client against a server that follows a script, over real sockets.

mod ingest;
mod script;
mod watch;
mod watch_pods;
