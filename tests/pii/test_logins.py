"""Passwords that no word names: in commands, calls, SQL, beside a name."""

import pytest

from outwarden.pii import Detector, PiiPolicy

DETECTOR = Detector(PiiPolicy())
WAYS = [
    "mysql -u root -p'{p}' shop",
    "mysql -uroot -p{p} shop",
    "curl -u admin:'{p}' https://x.internal/api",
    "curl --user deploy:{p} https://x.internal/api",
    "sshpass -p '{p}' ssh root@box",
    "sshpass -p {p} scp a b:",
    "docker login -u ci -p {p} registry.internal",
    "net use Z: \\\\srv\\share {p} /user:corp\\svc",
    'echo "root:{p}" | chpasswd',
    "echo {p} | passwd --stdin deploy",
    "useradd -p '{p}' svc",
    "CREATE USER app IDENTIFIED BY '{p}';",
    "GRANT ALL ON *.* TO 'app'@'%' IDENTIFIED BY \"{p}\";",
    '$cred = ConvertTo-SecureString "{p}" -AsPlainText -Force',
    "wpa_passphrase home '{p}'",
    "WIFI:T:WPA;S:home;P:{p};;",
    "username / password: root / {p}",
    "login: root / {p}",
    "credentials: deploy / {p}",
    "creds are deploy:{p}",
    "log in as root with {p}",
    "log in with admin / {p}",
    "log in as admin, password {p}",
    "u: admin p: {p}",
    "admin:{p} still works",
    "root/{p} works on the old box",
    'session.login("svc", "{p}")',
    "ftp.login('svc', '{p}')",
    'auth=("svc", "{p}")',
    "HTTPBasicAuth('svc', '{p}')",
    'smtp.login(user, "{p}")',
    "enable secret 0 {p}",
    "username admin password 0 {p}",
    "snmp-server user x auth sha {p} priv aes",
    "db-prod:5432:orders:etl:{p}",
    "uci set wireless.default.key='{p}'",
]


@pytest.mark.parametrize("password", ["Tr!ckle93x", "k8Vq$zPm2!wL", "Harvest#2218"])
@pytest.mark.parametrize("way", WAYS)
def test_a_password_is_found_without_a_word_for_it(way: str, password: str) -> None:
    """Behind a flag, in a pair, as an argument."""
    text = way.replace("{p}", password)
    at = text.index(password)

    assert any(span.start < at + len(password) and span.end > at for span in DETECTOR.find([text])[0])


@pytest.mark.parametrize(
    "text",
    [
        "docker pull postgres@sha256:4ad2f1c9b0e38e7751f1c92ad3e8b5d406a1fe8aa1f2b6c3771c0c84fd1e0b92",
        "curl -sSL https://get.example.org/install.sh | sh -s -- --version 2.3.1",
        "log in as admin / see the wiki page",
        'connect("db1.internal", "orders2")',
        "credentials=None, grant_type_for_scope=None,",
        "auth (`kerberos=True`) needs the extra",
        "user/page-2024-05 of the report",
        "mysql -u root -p shop < dump-2024.sql",
        "mysqld_safe\\[[0-9]+\\]: /usr/bin/mysqladmin",
        "docker run -p 8080:80 -v /srv/data:/data app:1.2.3",
    ],
)
def test_other_arguments_are_left(text: str) -> None:
    """Images, URLs, hosts, files, ports."""
    assert [span for span in DETECTOR.find([text])[0] if span.entity == "PASSWORD"] == []


def test_a_command_again_and_again_is_none() -> None:
    """In a line; some are typed with one behind the other."""
    command = "zip -r a.zip Xk7#pq2!m; "

    assert DETECTOR.find([command * 3])[0]
    assert not DETECTOR.find([command * 30])[0]
