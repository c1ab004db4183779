//! Calls: to one of the members, with a token, again if that may help.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Code, Request};

use super::failure::{Failure, Next};
use super::members::{Member, Members};
use super::proto::auth_client::AuthClient;
use super::proto::kv_client::KvClient;
use super::proto::{AuthenticateRequest, TxnRequest};
use super::request::Answer;
use super::{EtcdError, EtcdLogin, EtcdOptions};

/// Before the members are asked again, all of which were.
pub(super) const PAUSE: Duration = Duration::from_millis(50);
/// The shortest time that an attempt gets.
const MIN_ATTEMPT: Duration = Duration::from_millis(100);
/// Tokens that one call may ask for.
const MAX_LOGINS: usize = 2;

type Token = MetadataValue<Ascii>;

/// What calls go through.
#[derive(Debug)]
pub(super) struct Calls {
    pub(super) options: EtcdOptions,
    pub(super) members: Members,
    token: Mutex<Option<Pass>>,
    /// Held by whoever logs in: the others wait for what comes of it.
    logging_in: tokio::sync::Mutex<()>,
}

/// What there is to show: none where nobody is asked for it.
type Pass = Option<Token>;

/// A member that is talked to, and the token that shows who talks: none where there is nobody to log in
/// as, or nothing to log in to.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) member: Member,
    token: Pass,
}

impl Calls {
    pub(super) fn new(options: EtcdOptions) -> Calls {
        let members = Members::new(options.address.members(), options.tls.clone());
        Calls {
            options,
            members,
            token: Mutex::default(),
            logging_in: tokio::sync::Mutex::default(),
        }
    }

    /// A transaction that may be done twice: one that only reads, say.
    ///
    /// # Errors
    /// What the last attempt met.
    pub(super) async fn txn(&self, request: &TxnRequest) -> Result<Answer, EtcdError> {
        self.txn_within(request, &mut self.patience()).await
    }

    /// The same, as a part of what has attempts and time together.
    pub(super) async fn txn_within(
        &self,
        request: &TxnRequest,
        patience: &mut Patience,
    ) -> Result<Answer, EtcdError> {
        if patience.is_over() {
            return Err(self.members.unavailable("there is no time left"));
        }
        loop {
            match self.attempt(request, patience.left()).await {
                Ok(answer) => return Ok(answer),
                Err(failure) if patience.tries_again(&failure).await => {}
                Err(failure) => return Err(failure.error),
            }
        }
    }

    /// The attempts of one call.
    pub(super) fn patience(&self) -> Patience {
        Patience {
            deadline: Instant::now() + self.options.timeout,
            attempt: self.options.timeout / 4,
            members: self.members.len(),
            failures: 0,
            logins: 0,
        }
    }

    /// One attempt, at the member that is talked to.
    pub(super) async fn attempt(
        &self,
        request: &TxnRequest,
        within: Duration,
    ) -> Result<Answer, Failure> {
        let session = self.session(within).await?;
        match self.send(request, &session, within).await {
            Ok(answer) => {
                let checked = self.check_cluster(answer.cluster, &session.member).await;
                checked.map_err(|stranger| Failure {
                    maybe_done: answer.succeeded,
                    ..stranger
                })?;
                Ok(answer)
            }
            Err(failure) => Err(self.check_refusal(failure, &session).await),
        }
    }

    /// Sends a transaction, whoever it is that answers.
    pub(super) async fn send(
        &self,
        request: &TxnRequest,
        session: &Session,
        within: Duration,
    ) -> Result<Answer, Failure> {
        let request = dressed(request.clone(), session);
        let mut client = KvClient::new(session.member.channel.clone())
            .max_decoding_message_size(usize::MAX)
            .max_encoding_message_size(usize::MAX);
        match tokio::time::timeout(within, client.txn(request)).await {
            Ok(Ok(response)) => Ok(Answer::new(response.into_inner())),
            Ok(Err(status)) => Err(self.refused(&status, session)),
            Err(_) => Err(Failure::unanswered(self.silent(&session.member))),
        }
    }

    /// A member to talk to; connects and logs in if need be.
    pub(super) async fn session(&self, within: Duration) -> Result<Session, Failure> {
        let member = self.members.one(within).await;
        self.session_with(member, within).await
    }

    /// The same, with this member.
    pub(super) async fn session_with(
        &self,
        member: Result<Member, EtcdError>,
        within: Duration,
    ) -> Result<Session, Failure> {
        let member = member.map_err(Failure::before_sending)?;
        let mut session = Session {
            member,
            token: None,
        };
        session.token = self.token(&session, within).await?;
        Ok(session)
    }

    /// What a refusal means; the member is left and the token forgotten, if it is about them.
    pub(super) fn refused(&self, status: &tonic::Status, session: &Session) -> Failure {
        let prefix = self.options.address.prefix();
        let mut failure = Failure::of(status, &session.member.address, &self.members, prefix);
        match failure.next {
            Next::Again => self.members.leave(&session.member),
            // There is nobody to log in as.
            Next::LogIn if self.options.login.is_none() => failure.next = Next::GiveUp,
            Next::LogIn => self.forget(&session.token),
            Next::GiveUp => {}
        }
        failure
    }

    /// A member does not answer, and is left.
    pub(super) fn silent(&self, member: &Member) -> EtcdError {
        self.members.leave(member);
        self.members
            .unavailable(format!("{}: no answer in time", member.address))
    }

    /// Forgets what was refused, unless there is another by now.
    fn forget(&self, refused: &Pass) {
        let mut kept = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.as_ref() == Some(refused) {
            *kept = None;
        }
    }

    fn kept(&self) -> Option<Pass> {
        let kept = self.token.lock();
        kept.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The token to send along.
    async fn token(&self, session: &Session, within: Duration) -> Result<Pass, Failure> {
        let Some(login) = &self.options.login else {
            return Ok(None);
        };
        if let Some(kept) = self.kept() {
            return Ok(kept);
        }
        let _first = tokio::time::timeout(within, self.logging_in.lock()).await;
        if let Some(kept) = self.kept() {
            return Ok(kept);
        }
        let pass = self.log_in(login, session, within).await?;
        let mut kept = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some(pass.clone());
        Ok(pass)
    }

    async fn log_in(
        &self,
        login: &EtcdLogin,
        session: &Session,
        within: Duration,
    ) -> Result<Pass, Failure> {
        let request = AuthenticateRequest {
            name: login.user.clone(),
            password: login.password.clone(),
        };
        let mut client = AuthClient::new(session.member.channel.clone());
        let answer = tokio::time::timeout(within, client.authenticate(request)).await;
        let response = match answer {
            Ok(Ok(response)) => response.into_inner(),
            Ok(Err(status)) if is_off(&status) => return Ok(None),
            Ok(Err(status)) => {
                let failure = self.refused(&status, session);
                return Err(Failure {
                    maybe_done: false,
                    ..failure
                });
            }
            Err(_) => return Err(Failure::before_sending(self.silent(&session.member))),
        };
        Token::try_from(response.token).map(Some).map_err(|_| {
            let cause = "its token is not text".to_owned();
            Failure::before_sending(EtcdError::Denied {
                cause,
                prefix: self.options.address.prefix().to_owned(),
            })
        })
    }
}

/// A request with what goes along with it: the token, and the wish to be refused by a member that has lost
/// its quorum.
pub(super) fn dressed<T>(message: T, session: &Session) -> Request<T> {
    let mut request = Request::new(message);
    let metadata = request.metadata_mut();
    metadata.insert("hasleader", MetadataValue::from_static("true"));
    if let Some(token) = &session.token {
        metadata.insert("token", token.clone());
    }
    request
}

/// Whether it has no users at all.
fn is_off(status: &tonic::Status) -> bool {
    status.code() == Code::FailedPrecondition && status.message().contains("not enabled")
}

/// How often a call is tried, and for how long.
#[derive(Debug)]
pub(super) struct Patience {
    deadline: Instant,
    attempt: Duration,
    members: usize,
    failures: usize,
    logins: usize,
}

impl Patience {
    /// How long the next attempt may take.
    pub(super) fn left(&self) -> Duration {
        let left = self.deadline.saturating_duration_since(Instant::now());
        left.min(self.attempt).max(MIN_ATTEMPT)
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.deadline + MIN_ATTEMPT
    }

    /// Whether to try again after such a failure; waits if all members were asked.
    pub(super) async fn tries_again(&mut self, failure: &Failure) -> bool {
        match failure.next {
            Next::GiveUp => return false,
            Next::LogIn => {
                self.logins += 1;
                return self.logins <= MAX_LOGINS;
            }
            Next::Again => self.failures += 1,
        }
        if self.failures.is_multiple_of(self.members.max(1)) {
            tokio::time::sleep(PAUSE).await;
        }
        Instant::now() < self.deadline
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_token_that_was_renewed_meanwhile_is_kept() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("etcd://{}/p", listener.local_addr().unwrap());
        let token = |text| Some(Token::from_static(text));
        let login = EtcdLogin {
            user: "u".to_owned(),
            password: "p".to_owned(),
        };
        let mut options = EtcdOptions::new(address.parse().unwrap());
        options.login = Some(login);
        let calls = Calls::new(options);
        let session = async |token| Session {
            member: calls.members.one(MIN_ATTEMPT * 100).await.unwrap(),
            token,
        };
        let refused = tonic::Status::unauthenticated("etcdserver: invalid auth token");
        for (before, sent, kept) in [
            (Some(token("new")), token("old"), Some(token("new"))),
            (Some(token("new")), None, Some(token("new"))),
            (Some(token("new")), token("new"), None),
            // It was asked for nothing, and is now.
            (Some(None), None, None),
        ] {
            *calls.token.lock().unwrap() = before;
            calls.refused(&refused, &session(sent).await);
            assert_eq!(*calls.token.lock().unwrap(), kept);
        }
    }
}
