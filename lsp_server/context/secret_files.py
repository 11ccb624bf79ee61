"""Files whose name says that they hold secrets. No source reads them, whatever the ignore files say."""

from __future__ import annotations

import re

_FOLDERS = frozenset({".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".password-store", ".gcloud"})

_NAMES = frozenset({
    ".envrc", ".netrc", "_netrc", ".npmrc", ".yarnrc.yml", ".pypirc", ".pgpass", ".my.cnf", ".htpasswd", ".dockercfg",
    ".dockerconfigjson", ".git-credentials", ".vault-token", ".terraformrc", "terraform.rc", ".boto", ".s3cfg",
    ".rhosts", "credentials", "htpasswd", "kubeconfig", "local.settings.json", "master.key", "secring.gpg", "shadow",
    "wp-config.php", "known_hosts", "authorized_keys", "google-services.json",
    "googleservice-info.plist", "nuget.config",
})  # fmt: skip

_ENDINGS = frozenset({
    "pem", "key", "p12", "pfx", "p8", "pk8", "jks", "keystore", "bks", "kdbx", "kdb", "ppk", "crt", "cer", "der", "csr",
    "p7b", "p7c", "gpg", "pgp", "asc", "ovpn", "age", "agekey", "tfvars", "tfstate", "keytab", "env", "secret",
    "secrets", "mobileprovision", "cert", "kwallet", "keychain", "rdp", "sops",
})  # fmt: skip
"""Without the dot: keys, certificates, key stores, state of tools that keeps passwords."""

_DATA = r"\.(?:ya?ml|json|toml|ini|cfg|conf|properties|xml|txt|csv|plist|enc|dec)"
_PATTERNS = re.compile(
    r"\.env(?:[.\-_].+)?"
    r"|(?:id|ssh_host)_(?:rsa|dsa|ecdsa|ed25519|xmss)\w*"
    r"|.*tfstate\.backup|.*\.tfvars\.json"
    rf"|(?:.*[._-])?(?:secrets?|credentials?)(?:[._-].*)?{_DATA}"
    rf"|(?:.*[._-])?(?:passwords?|passwd|tokens?|api[_-]?keys?|private[_-]?keys?){_DATA}"
    rf"|(?:.*[._-])?service[_-]?accounts?(?:[._-].*)?{_DATA}"
    r"|(?:.*[._-])?client_secret.*\.json"
)

_EXAMPLE = re.compile(r"(?:^|[._-])(?:example|examples|sample|template|tmpl|dist|defaults?|schema|spec)(?:[._-]|$)")
"""`.env.example` and the like are written to be shown."""
_NEVER_AN_EXAMPLE = frozenset({"pem", "key", "p12", "pfx", "jks", "keystore", "kdbx", "ppk", "p8", "pk8"})


def is_secret_file(path: str) -> bool:
    """Whether a path with `/` or backslashes names a file that holds secrets, by its name or a folder's."""
    *folders, name = path.lower().replace("\\", "/").split("/")
    if _FOLDERS.intersection(folders):
        return True
    name = name.rstrip(" .~")  # what an editor's backup and Windows add
    ending = name.rpartition(".")[2] if "." in name else ""
    if _EXAMPLE.search(name) and ending not in _NEVER_AN_EXAMPLE:
        return False
    if name.endswith(".pub"):
        return False
    for copy in (name, re.sub(r"\.(?:bak|old|orig|save|swp|tmp|copy|\d)$", "", name)):
        ending = copy.rpartition(".")[2] if "." in copy else ""
        if copy in _NAMES or ending in _ENDINGS or _PATTERNS.fullmatch(copy):
            return True
    return False
