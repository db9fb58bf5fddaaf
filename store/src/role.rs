//! Credentials that AWS profiles get from elsewhere: by assuming a role, from the session of a single sign-on, or from a
//! program.

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use cogsmith::redact;
use http::{Method, Request};
use object_store::CredentialProvider;
use object_store::aws::{AwsAuthorizer, AwsCredential, AwsCredentialProvider};
use object_store::client::{HttpClient, HttpRequest, HttpRequestBody};
use serde_json::Value;
use tokio::sync::Mutex;
use url::form_urlencoded::Serializer;

use crate::error::{Result, StoreError, StoreErrorKind, element};
use crate::store::crypto;

/// Time before their end at which credentials are replaced.
const MARGIN: Duration = Duration::from_secs(300);

/// The longest that a program may take.
const PROGRAM_TIME: Duration = Duration::from_secs(60);

/// Number of attempts at a request.
const ATTEMPTS: u32 = 4;

/// A source of credentials, as the shared configuration files describe it.
pub(crate) enum Source {
    /// Keys in the files or in the environment.
    Keys(Arc<AwsCredential>),
    /// Those of the client: of a container or an instance.
    Client,
    Role(Role),
    Session(Session),
    /// A command whose output has the credentials.
    Program(String),
}

/// A role that is assumed with other credentials (AWS STS, `AssumeRole`).
pub(crate) struct Role {
    pub(crate) arn: String,
    pub(crate) session_name: String,
    pub(crate) external_id: Option<String>,
    pub(crate) seconds: Option<String>,
    pub(crate) region: String,
    pub(crate) endpoint: String,
    pub(crate) source: Box<Source>,
}

/// The session of a single sign-on (`GetRoleCredentials` of IAM Identity Center).
pub(crate) struct Session {
    pub(crate) profile: String,
    pub(crate) start_url: String,
    pub(crate) account: String,
    pub(crate) role: String,
    pub(crate) endpoint: String,
    /// The folder in which `aws sso login` keeps tokens.
    pub(crate) cache: PathBuf,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keys(_) => "Keys",
            Self::Client => "Client",
            Self::Role(_) => "Role",
            Self::Session(_) => "Session",
            Self::Program(_) => "Program",
        })
    }
}

/// Credentials, and when they end.
type Found = (Arc<AwsCredential>, Option<SystemTime>);

/// A provider that gets credentials from a source, and again before they end.
#[derive(Debug)]
pub(crate) struct Provider {
    source: Arc<Source>,
    http: HttpClient,
    /// The client's own provider, for roles that start from it.
    client: Option<AwsCredentialProvider>,
    found: Mutex<Option<(Arc<AwsCredential>, Option<SystemTime>)>>,
}

impl Provider {
    pub(crate) fn new(source: Arc<Source>, http: HttpClient, client: Option<AwsCredentialProvider>) -> Self {
        Self { source, http, client, found: Mutex::new(None) }
    }

    fn fetch<'a>(&'a self, source: &'a Source) -> Pin<Box<dyn Future<Output = Result<Found>> + Send + 'a>> {
        Box::pin(async move {
            match source {
                Source::Keys(keys) => Ok((Arc::clone(keys), None)),
                Source::Client => match &self.client {
                    Some(client) => {
                        let found = client.get_credential().await;
                        Ok((found.map_err(|error| StoreError::from_client(&error))?, None))
                    }
                    None => Err(none("there are no credentials of a container or an instance")),
                },
                Source::Role(role) => {
                    let (keys, _) = self.fetch(&role.source).await?;
                    self.assume(role, &keys).await
                }
                Source::Session(session) => self.role_of(session).await,
                Source::Program(command) => {
                    let command = command.clone();
                    let ran = tokio::task::spawn_blocking(move || run(&command)).await;
                    ran.map_err(|_| none("the program for credentials could not be run"))?
                }
            }
        })
    }

    async fn assume(&self, role: &Role, keys: &AwsCredential) -> Result<Found> {
        let form = form(role);
        let request = || {
            let request =
                Request::builder().method(Method::POST).uri(format!("{}/", role.endpoint.trim_end_matches('/')));
            let request = request.header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
            let mut request = request.body(HttpRequestBody::from(form.clone())).map_err(|_| unsendable())?;
            let signer = AwsAuthorizer::new(keys, "sts", &role.region).with_crypto(crypto());
            signer.try_authorize(&mut request, None).map_err(|error| StoreError::from_client(&error))?;
            Ok(request)
        };
        let (status, body) = self.ask(request).await?;
        let part = |name| element(&body, name).map(str::to_owned);
        match (status, part("AccessKeyId"), part("SecretAccessKey"), part("SessionToken")) {
            (200, Some(key_id), Some(secret_key), token @ Some(_)) => {
                let end = part("Expiration").and_then(|text| moment(&text));
                Ok((Arc::new(AwsCredential { key_id, secret_key, token }), end))
            }
            _ => {
                let said = StoreError::from_answer(status, &body);
                Err(StoreError::new(said.kind(), format!("role '{}' cannot be assumed: {said}", role.arn)))
            }
        }
    }

    async fn role_of(&self, session: &Session) -> Result<Found> {
        let token = token(session)?;
        let query = Serializer::new(String::new())
            .append_pair("role_name", &session.role)
            .append_pair("account_id", &session.account)
            .finish();
        let url = format!("{}/federation/credentials?{query}", session.endpoint.trim_end_matches('/'));
        let request = || {
            let request = Request::builder().method(Method::GET).uri(&url).header("x-amz-sso_bearer_token", &token);
            request.body(HttpRequestBody::from(String::new())).map_err(|_| unsendable())
        };
        let (status, body) = self.ask(request).await?;
        let answer: Value = serde_json::from_str(&body).unwrap_or_default();
        let part = |name: &str| answer["roleCredentials"][name].as_str().map(str::to_owned);
        match (status, part("accessKeyId"), part("secretAccessKey"), part("sessionToken")) {
            (200, Some(key_id), Some(secret_key), token @ Some(_)) => {
                let end = answer["roleCredentials"]["expiration"].as_u64();
                let end = end.map(|millis| SystemTime::UNIX_EPOCH + Duration::from_millis(millis));
                Ok((Arc::new(AwsCredential { key_id, secret_key, token }), end))
            }
            (401, ..) => Err(log_in(session, "is not valid any more")),
            (status, ..) => Err(StoreError::new(
                StoreErrorKind::AccessDenied,
                format!(
                    "the single sign-on of profile '{}' gives no credentials for role '{}' in account {} (HTTP {status})",
                    session.profile, session.role, session.account
                ),
            )),
        }
    }

    /// Sends a request, and again if the server fails, and returns status and body of the answer.
    async fn ask(&self, request: impl Fn() -> Result<HttpRequest> + Send + Sync) -> Result<(u16, String)> {
        let mut wait = Duration::from_millis(100);
        for attempt in 1.. {
            let outcome = match self.http.execute(request()?).await {
                Ok(response) => {
                    let status = response.status().as_u16();
                    let body = response.into_body().bytes().await;
                    body.map(|body| (status, String::from_utf8_lossy(&body).into_owned()))
                }
                Err(error) => Err(error),
            };
            let is_last = attempt >= ATTEMPTS;
            match outcome {
                Ok((status, _)) if (status == 429 || status >= 500) && !is_last => {}
                Ok(answer) => return Ok(answer),
                Err(error) if is_last => {
                    let text = format!("the server for credentials cannot be reached ({})", redact(&error.to_string()));
                    return Err(StoreError::new(StoreErrorKind::Unreachable, text));
                }
                Err(_) => {}
            }
            tokio::time::sleep(wait).await;
            wait *= 4;
        }
        Err(unsendable())
    }
}

impl CredentialProvider for Provider {
    type Credential = AwsCredential;

    // What the macro `async_trait` makes of the method.
    fn get_credential<'a, 'b>(
        &'a self,
    ) -> Pin<Box<dyn Future<Output = object_store::Result<Arc<AwsCredential>>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            let mut found = self.found.lock().await;
            let limit = SystemTime::now() + MARGIN;
            if let Some((keys, end)) = &*found
                && end.is_none_or(|end| end > limit)
            {
                return Ok(Arc::clone(keys));
            }
            let fetched = self.fetch(&self.source).await;
            let fetched =
                fetched.map_err(|error| object_store::Error::Generic { store: "S3", source: Box::new(error) })?;
            // Those of a client's provider may change at any time.
            if !matches!(*self.source, Source::Client) {
                *found = Some(fetched.clone());
            }
            Ok(fetched.0)
        })
    }
}

/// Returns the form that asks for the credentials of a role.
fn form(role: &Role) -> String {
    let mut form = Serializer::new(String::new());
    form.append_pair("Action", "AssumeRole").append_pair("Version", "2011-06-15");
    form.append_pair("RoleArn", &role.arn).append_pair("RoleSessionName", &role.session_name);
    for (name, value) in [("ExternalId", &role.external_id), ("DurationSeconds", &role.seconds)] {
        if let Some(value) = value {
            form.append_pair(name, value);
        }
    }
    form.finish()
}

fn none(message: &str) -> StoreError {
    StoreError::new(StoreErrorKind::NoCredentials, message)
}

fn unsendable() -> StoreError {
    StoreError::new(StoreErrorKind::InvalidOption, "a setting of the profile has characters that no request can have")
}

fn log_in(session: &Session, problem: &str) -> StoreError {
    let name = &session.profile;
    none(&format!(
        "the single sign-on session of profile '{name}' {problem}; run `aws sso login --profile {name}`, or \
         `eval \"$(aws configure export-credentials --profile {name} --format env)\"` with other credentials"
    ))
}

/// Returns the token of a session that has not ended, among those that `aws sso login` keeps.
fn token(session: &Session) -> Result<String> {
    let mut problem = "does not exist";
    let files = std::fs::read_dir(&session.cache).into_iter().flatten().flatten();
    let mut paths: Vec<_> = files.map(|file| file.path()).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "json")) {
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        let found: Value = serde_json::from_str(&text).unwrap_or_default();
        let same = |url: &str| url.trim_end_matches(['/', '#']) == session.start_url.trim_end_matches(['/', '#']);
        let (Some(token), Some(url)) = (found["accessToken"].as_str(), found["startUrl"].as_str()) else { continue };
        if !same(url) {
            continue;
        }
        match found["expiresAt"].as_str().and_then(moment) {
            Some(end) if end > SystemTime::now() => return Ok(token.to_owned()),
            _ => problem = "has ended",
        }
    }
    Err(log_in(session, problem))
}

/// Runs a program that prints credentials (AWS: "Sourcing credentials with an external process").
fn run(command: &str) -> Result<Found> {
    // What the program prints may be secret, so no message shows it.
    let failed = |problem: &str| none(&format!("the program of credential_process {problem}"));
    let words = words(command).filter(|words| !words.is_empty()).ok_or_else(|| failed("has an open quotation mark"))?;
    let (program, arguments) = words.split_first().ok_or_else(|| failed("is not named"))?;
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(&format!("cannot be started: {error}")))?;
    let output = wait(child).ok_or_else(|| failed("does not end"))?;
    if !output.status.success() {
        return Err(failed(&format!("fails with {}", output.status)));
    }
    let found: Value = serde_json::from_slice(&output.stdout).map_err(|_| failed("does not print JSON"))?;
    let part = |name: &str| found[name].as_str().map(str::to_owned);
    let (Some(key_id), Some(secret_key)) = (part("AccessKeyId"), part("SecretAccessKey")) else {
        return Err(failed("prints no AccessKeyId and SecretAccessKey"));
    };
    if found["Version"].as_u64() != Some(1) {
        return Err(failed("prints another version than 1"));
    }
    let end = part("Expiration").and_then(|text| moment(&text));
    Ok((Arc::new(AwsCredential { key_id, secret_key, token: part("SessionToken") }), end))
}

/// Waits for a program; `None` if it takes too long, and is then ended.
fn wait(mut child: std::process::Child) -> Option<std::process::Output> {
    let stdout = child.stdout.take();
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        // An output that is not complete is not JSON.
        let _ = stdout.map(|mut stdout| std::io::Read::read_to_end(&mut stdout, &mut text));
        text
    });
    let began = std::time::Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                let stdout = reader.join().unwrap_or_default();
                return Some(std::process::Output { status, stdout, stderr: Vec::new() });
            }
            Ok(None) if began.elapsed() < PROGRAM_TIME => std::thread::sleep(Duration::from_millis(20)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}

/// Divides a command into words, as a shell does with quotation marks, without any other of its features.
fn words(command: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut letters = command.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, _) if letter.is_whitespace() => words.extend(word.take()),
            // Windows has paths with backslashes.
            (None | Some('"'), '\\') if cfg!(unix) => word.get_or_insert_default().extend(letters.next()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// Parses a time such as `2026-11-30T20:15:00Z`; also with `UTC` instead of `Z`.
fn moment(text: &str) -> Option<SystemTime> {
    chrono::DateTime::parse_from_rfc3339(&text.replace("UTC", "Z")).ok().map(SystemTime::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_divided_into_words() {
        let expected = ["/opt/a tool", "--name", "it's", "", "x y"];
        assert_eq!(words(r#"'/opt/a tool' --name "it's"  '' "x y""#).unwrap(), expected);
        assert_eq!(words("open 'quote"), None);
    }

    #[test]
    fn times_are_parsed() {
        let expected = SystemTime::UNIX_EPOCH + Duration::from_secs(1_796_069_700);
        for text in ["2026-11-30T20:15:00Z", "2026-11-30T20:15:00UTC", "2026-11-30T21:15:00+01:00"] {
            assert_eq!(moment(text), Some(expected), "{text}");
        }
        assert_eq!(moment("soon"), None);
    }

    #[test]
    #[cfg(unix)]
    fn programs_print_credentials() {
        let (keys, end) = run(
            r#"printf '{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "B", "Expiration": "2099-01-01T00:00:00Z"}'"#,
        )
        .unwrap();
        assert_eq!((keys.key_id.as_str(), keys.secret_key.as_str(), &keys.token), ("A", "B", &None));
        assert!(end.unwrap() > SystemTime::now());
        for (command, problem) in [
            ("false", "fails with"),
            ("printf secret", "does not print JSON"),
            (r#"printf '{"Version": 1}'"#, "prints no"),
            (r#"printf '{"Version": 2, "AccessKeyId": "A", "SecretAccessKey": "secret"}'"#, "another version"),
            ("/there/is/no/such/program", "cannot be started"),
        ] {
            let error = run(command).unwrap_err().to_string();
            assert!(error.contains(problem) && !error.contains("secret"), "{error}");
        }
    }
}
