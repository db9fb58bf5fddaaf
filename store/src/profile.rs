//! Profiles of the shared configuration files of AWS.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use object_store::aws::AwsCredential;

use crate::error::{Result, StoreError, StoreErrorKind};
use crate::options::Resolved;
use crate::role::{Role, Session, Source};

/// The settings of a profile.
type Settings = BTreeMap<String, String>;

/// The region of requests for credentials, if nothing names one.
const REGION: &str = "us-east-1";

/// Adds the credentials, region, and endpoint of a profile, if one is named, or if there are no other credentials and a
/// default profile exists.
pub(crate) fn apply(options: &mut Resolved) -> Result<()> {
    let has_keys = options.get("access_key_id").is_some();
    let has_others =
        ["web_identity_token_file", "container_credentials_relative_uri", "container_credentials_full_uri"]
            .iter()
            .any(|name| options.get(name).is_some());
    let is_named = options.profile.is_some();
    if !options.uses_files && !is_named {
        return Ok(());
    }
    let name = options.profile.clone().unwrap_or_else(|| "default".to_owned());
    let Some(settings) = load(options, &name)? else {
        return if is_named { Err(missing(&name)) } else { Ok(()) };
    };
    for (setting, option) in [("region", "region"), ("endpoint_url", "endpoint")] {
        if let Some(value) = settings.get(setting).filter(|_| options.get(option).is_none()) {
            options.set(option, value);
        }
    }
    if options.get("endpoint").is_some_and(|url| url.starts_with("http://")) {
        options.set("allow_http", "true");
    }
    if options.is_true("skip_signature") || ((has_keys || has_others) && !is_named) {
        return Ok(());
    }
    if settings.contains_key("role_arn") && settings.contains_key("web_identity_token_file") {
        // The client assumes this role itself.
        for option in ["role_arn", "web_identity_token_file", "role_session_name"] {
            if let Some(value) = settings.get(option) {
                options.set(option, value);
            }
        }
        forget_keys(options);
        return Ok(());
    }
    match source(options, &name, &mut Vec::new()) {
        Ok(Some(Source::Keys(keys))) => {
            forget_keys(options);
            options.set("access_key_id", &keys.key_id);
            options.set("secret_access_key", &keys.secret_key);
            if let Some(token) = &keys.token {
                options.set("session_token", token);
            }
        }
        Ok(Some(source)) => {
            forget_keys(options);
            options.source = Some(Arc::new(source));
        }
        Ok(None) if is_named => return Err(without_keys(&name)),
        Ok(None) => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Removes the keys of the environment: a token belongs to its own keys.
fn forget_keys(options: &mut Resolved) {
    options
        .values
        .retain(|(name, _)| !matches!(name.as_str(), "access_key_id" | "secret_access_key" | "session_token"));
}

/// Returns the source of a profile's credentials; `None` if it names none. `seen` are the profiles that led to it.
fn source(options: &Resolved, name: &str, seen: &mut Vec<String>) -> Result<Option<Source>> {
    let settings = load(options, name)?.ok_or_else(|| missing(name))?;
    let get = |setting: &str| settings.get(setting).cloned();
    let is_own_source = seen.last().is_some_and(|last| last == name);
    if let Some(arn) = get("role_arn").filter(|_| !is_own_source) {
        if seen.iter().any(|one| one == name) {
            return Err(problem(format!("the profiles {} are the source of each other", seen.join(", "))));
        }
        if settings.contains_key("mfa_serial") {
            return Err(unsupported(name, "mfa_serial"));
        }
        seen.push(name.to_owned());
        let region = options.get("region").unwrap_or(REGION).to_owned();
        let source = match (get("source_profile"), get("credential_source").as_deref()) {
            (Some(other), _) => source(options, &other, seen)?.ok_or_else(|| without_keys(&other))?,
            (None, Some("Environment")) => match (options.get("access_key_id"), options.get("secret_access_key")) {
                (Some(key), Some(secret)) => keys(key, secret, options.get("session_token")),
                _ => {
                    return Err(problem(format!("profile '{name}' needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")));
                }
            },
            (None, Some("Ec2InstanceMetadata" | "EcsContainer")) => Source::Client,
            _ => {
                return Err(problem(format!(
                    "profile '{name}' has a role_arn, but no source_profile or credential_source"
                )));
            }
        };
        let endpoint = options.get("endpoint_url_sts").map_or_else(|| vendor("sts", &region), str::to_owned);
        return Ok(Some(Source::Role(Role {
            arn,
            session_name: get("role_session_name").unwrap_or_else(|| "cogsmith".to_owned()),
            external_id: get("external_id"),
            seconds: get("duration_seconds"),
            region,
            endpoint,
            source: Box::new(source),
        })));
    }
    if let (Some(key), Some(secret)) = (get("aws_access_key_id"), get("aws_secret_access_key")) {
        return Ok(Some(keys(&key, &secret, get("aws_session_token").as_deref())));
    }
    if settings.contains_key("sso_session") || settings.contains_key("sso_start_url") {
        return session(options, name, settings).map(Some);
    }
    if let Some(command) = get("credential_process") {
        if options.own("credential_process").is_some_and(|value| value == "true") {
            return Ok(Some(Source::Program(command)));
        }
        return Err(problem(format!(
            "profile '{name}' gets its credentials from a program (credential_process), which runs only if the option \
             credential_process, or COGSMITH_CREDENTIAL_PROCESS in the environment, is true; or run `eval \"$(aws \
             configure export-credentials --profile {name} --format env)\"` first"
        )));
    }
    match ["login_session", "mfa_serial"].into_iter().find(|setting| settings.contains_key(*setting)) {
        Some(setting) => Err(unsupported(name, setting)),
        None => Ok(None),
    }
}

/// Returns the source of a profile with single sign-on.
fn session(options: &Resolved, name: &str, mut settings: Settings) -> Result<Source> {
    if let Some(session) = settings.get("sso_session").cloned() {
        let shared = load_section(options, &session, Kind::Session)?;
        let shared =
            shared.ok_or_else(|| problem(format!("there is no [sso-session {session}] for profile '{name}'")))?;
        settings.extend(shared);
    }
    let get = |setting: &str| {
        let value = settings.get(setting).cloned();
        value.ok_or_else(|| problem(format!("profile '{name}' has single sign-on, but no {setting}")))
    };
    let region = get("sso_region")?;
    let endpoint = options.own("endpoint_url_sso").map_or_else(|| vendor("portal.sso", &region), str::to_owned);
    let home = std::env::home_dir().map(|home| home.join(".aws").join("sso").join("cache"));
    let cache = options.own("sso_cache").map(PathBuf::from).or(home).unwrap_or_default();
    Ok(Source::Session(Session {
        profile: name.to_owned(),
        start_url: get("sso_start_url")?,
        account: get("sso_account_id")?,
        role: get("sso_role_name")?,
        endpoint,
        cache,
    }))
}

/// Returns the endpoint of a service of AWS in a region.
fn vendor(service: &str, region: &str) -> String {
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("https://{service}.{region}.amazonaws.com{suffix}")
}

fn keys(key: &str, secret: &str, token: Option<&str>) -> Source {
    let (key_id, secret_key, token) = (key.to_owned(), secret.to_owned(), token.map(str::to_owned));
    Source::Keys(Arc::new(AwsCredential { key_id, secret_key, token }))
}

fn problem(message: String) -> StoreError {
    StoreError::new(StoreErrorKind::NoCredentials, message)
}

fn unsupported(name: &str, setting: &str) -> StoreError {
    problem(format!(
        "profile '{name}' gets its credentials through {setting}, which is not supported; run \
         `eval \"$(aws configure export-credentials --profile {name} --format env)\"` first"
    ))
}

fn without_keys(name: &str) -> StoreError {
    problem(format!("profile '{name}' of the shared AWS configuration has no access key"))
}

fn missing(name: &str) -> StoreError {
    StoreError::new(
        StoreErrorKind::NoCredentials,
        format!("there is no profile '{name}' in the shared AWS configuration (~/.aws/credentials and ~/.aws/config)"),
    )
}

/// The kinds of sections.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Profile,
    /// The settings of a single sign-on that profiles share; only in `config`.
    Session,
}

/// Loads a profile from both files; `None` if neither has it.
fn load(options: &Resolved, name: &str) -> Result<Option<Settings>> {
    load_section(options, name, Kind::Profile)
}

fn load_section(options: &Resolved, name: &str, kind: Kind) -> Result<Option<Settings>> {
    let home = std::env::home_dir().map(|home| home.join(".aws"));
    let file = |option: &str, name: &str| {
        options.own(option).map(PathBuf::from).or_else(|| home.as_ref().map(|home| home.join(name)))
    };
    let mut found = None;
    for (path, is_config) in
        [(file("config_file", "config"), true), (file("shared_credentials_file", "credentials"), false)]
    {
        let Some(path) = path else { continue };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                let message = format!("cannot read '{}': {error}", path.display());
                return Err(StoreError::new(StoreErrorKind::NoCredentials, message));
            }
        };
        if let Some(settings) = section(&text, name, kind, is_config) {
            found.get_or_insert_with(Settings::new).extend(settings);
        }
    }
    Ok(found)
}

/// Returns the settings of a section in the text of a file. In `config`, those of profiles are named `profile NAME` except
/// `default`.
fn section(text: &str, name: &str, kind: Kind, is_config: bool) -> Option<Settings> {
    let mut settings: Option<Settings> = None;
    let mut is_inside = false;
    for line in text.lines() {
        let is_nested = line.starts_with([' ', '\t']);
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(title) = line.strip_prefix('[').and_then(|title| title.split(']').next()) {
            let title = title.trim();
            let prefix = if kind == Kind::Session { "sso-session " } else { "profile " };
            let title = match title.strip_prefix(prefix) {
                Some(named) if is_config => named.trim().trim_matches('"'),
                _ if kind == Kind::Session => "",
                None if is_config && title != "default" => "",
                _ => title,
            };
            is_inside = title == name;
            if is_inside {
                settings.get_or_insert_default();
            }
        } else if let Some((key, value)) = line.split_once('=').filter(|_| is_inside && !is_nested) {
            settings.get_or_insert_default().insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_those_of_both_files() {
        let credentials =
            "[default]\naws_access_key_id = A\n\n# note\n[work]\naws_access_key_id=B\naws_secret_access_key = C=\n";
        let work = section(credentials, "work", Kind::Profile, false).unwrap();
        assert_eq!(work["aws_access_key_id"], "B");
        assert_eq!(work["aws_secret_access_key"], "C=");
        assert_eq!(section(credentials, "default", Kind::Profile, false).unwrap().len(), 1);
        assert!(section(credentials, "other", Kind::Profile, false).is_none());
        let config = "[default]\nregion = eu-west-1\n[profile work]\nregion=us-west-2\ns3 =\n  max_concurrent_requests = 20\n[work]\nregion=x\n[sso-session work]\nsso_region=y\n";
        assert_eq!(section(config, "work", Kind::Profile, true).unwrap()["region"], "us-west-2");
        assert!(!section(config, "work", Kind::Profile, true).unwrap().contains_key("max_concurrent_requests"));
        assert_eq!(section(config, "work", Kind::Session, true).unwrap()["sso_region"], "y");
        assert!(section(config, "default", Kind::Session, true).is_none());
        assert_eq!(section(config, "default", Kind::Profile, true).unwrap()["region"], "eu-west-1");
    }
}
