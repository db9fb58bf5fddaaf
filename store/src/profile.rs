//! Profiles of the shared configuration files of AWS.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::error::{Result, StoreError, StoreErrorKind};
use crate::options::Resolved;

/// The settings of a profile.
type Settings = BTreeMap<String, String>;

/// Adds the keys, region, and endpoint of a profile, if one is named, or if there are no other credentials and a default
/// profile exists.
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
    let Some(settings) = load(&name)? else {
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
    if let (Some(key), Some(secret)) = (settings.get("aws_access_key_id"), settings.get("aws_secret_access_key")) {
        options.set("access_key_id", key);
        options.set("secret_access_key", secret);
        // A token of the environment belongs to other keys.
        options.values.retain(|(name, _)| name != "session_token");
        if let Some(token) = settings.get("aws_session_token") {
            options.set("session_token", token);
        }
        return Ok(());
    }
    let kind = ["role_arn", "sso_session", "sso_start_url", "credential_process", "login_session"]
        .into_iter()
        .find(|setting| settings.contains_key(*setting));
    match kind {
        Some(setting) => Err(StoreError::new(
            StoreErrorKind::NoCredentials,
            format!(
                "profile '{name}' gets its credentials through {setting}, which is not supported; run \
                 `eval \"$(aws configure export-credentials --profile {name} --format env)\"` first"
            ),
        )),
        None if is_named => Err(StoreError::new(
            StoreErrorKind::NoCredentials,
            format!("profile '{name}' of the shared AWS configuration has no access key"),
        )),
        None => Ok(()),
    }
}

fn missing(name: &str) -> StoreError {
    StoreError::new(
        StoreErrorKind::NoCredentials,
        format!("there is no profile '{name}' in the shared AWS configuration (~/.aws/credentials and ~/.aws/config)"),
    )
}

/// Loads a profile from both files; `None` if neither has it.
fn load(name: &str) -> Result<Option<Settings>> {
    let home = std::env::home_dir().map(|home| home.join(".aws"));
    let file = |variable: &str, name: &str| {
        std::env::var_os(variable).map(PathBuf::from).or_else(|| home.as_ref().map(|home| home.join(name)))
    };
    let mut found = None;
    for (path, is_config) in
        [(file("AWS_CONFIG_FILE", "config"), true), (file("AWS_SHARED_CREDENTIALS_FILE", "credentials"), false)]
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
        if let Some(settings) = section(&text, name, is_config) {
            found.get_or_insert_with(Settings::new).extend(settings);
        }
    }
    Ok(found)
}

/// Returns the settings of a profile in the text of a file. In `config`, sections are named `profile NAME` except
/// `default`.
fn section(text: &str, name: &str, is_config: bool) -> Option<Settings> {
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
            let title = match title.strip_prefix("profile ") {
                Some(profile) if is_config => profile.trim().trim_matches('"'),
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
        let work = section(credentials, "work", false).unwrap();
        assert_eq!(work["aws_access_key_id"], "B");
        assert_eq!(work["aws_secret_access_key"], "C=");
        assert_eq!(section(credentials, "default", false).unwrap().len(), 1);
        assert!(section(credentials, "other", false).is_none());
        let config = "[default]\nregion = eu-west-1\n[profile work]\nregion=us-west-2\ns3 =\n  max_concurrent_requests = 20\n[work]\nregion=x\n";
        assert_eq!(section(config, "work", true).unwrap()["region"], "us-west-2");
        assert!(!section(config, "work", true).unwrap().contains_key("max_concurrent_requests"));
        assert_eq!(section(config, "default", true).unwrap()["region"], "eu-west-1");
    }
}
