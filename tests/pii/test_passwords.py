"""Passwords behind, before and under the words for them."""

import pytest

from outwarden.pii import Detector, PiiPolicy

DETECTOR = Detector(PiiPolicy())
WAYS = [
    "password: {p}",
    "Password : {p}",
    "pwd={p}",
    "DB_PASS={p}",
    "export PGPASSWORD='{p}'",
    'passwd => "{p}"',
    '"password": "{p}",',
    '{"user":"svc","pass":"{p}"}',
    "my password is {p}",
    "My new password is: {p} please don't share",
    "the password for the NAS is {p} btw",
    "the wifi password is {p}",
    "WLAN-Passwort: {p}",
    "Das Passwort lautet {p}",
    "das passwort für den router ist {p}",
    "Kennwort: {p}",
    "mot de passe : {p}",
    "le mot de passe du wifi est {p}",
    "le mot de passe du wifi c'est {p}",
    "wachtwoord = {p}?",
    "machine git.acme.io login me password {p}",
    '<input type="password" name="p" value="{p}">',
    "la contraseña es {p}",
    "contraseña del servidor: {p}",
    "la clave del wifi es {p}",
    "a senha é {p}",
    "senha do banco: {p}",
    "la password è {p}",
    "la parola d'ordine è {p}",
    "wachtwoord: {p}",
    "het wachtwoord van de server is {p}",
    "hasło: {p}",
    "heslo je {p}",
    "lösenord: {p}",
    "lösenordet är {p}",
    "adgangskoden er {p}",
    "salasana on {p}",
    "jelszó: {p}",
    "parola: {p}",
    "şifre: {p}",
    "пароль: {p}",
    "пароль от сервера — {p}",
    "密码：{p}",
    "密码是{p}",
    "パスワード：{p}",
    "パスワードは {p} です",
    "비밀번호: {p}",
    "mật khẩu: {p}",
    "kata sandi: {p}",
    "psql --password={p} -h db",
    "mongodump --username admin --password {p}",
    "ALTER USER app WITH PASSWORD '{p}';",
    "CREATE LOGIN app WITH PASSWORD = '{p}';",
    "Server=db;Database=x;User Id=sa;Password={p};",
    "Server=db;Uid=sa;Pwd={p};Encrypt=yes",
    "jdbc:mysql://db/shop?user=app&password={p}",
    "machine api.internal login deploy password {p}",
    'network={ ssid="home" psk="{p}" }',
    "<password>{p}</password>",
    '<user name="x" password="{p}"/>',
    '<add key="DbPassword" value="{p}" />',
    '<property name="javax.persistence.jdbc.password" value="{p}"/>',
    '<input type="password" name="pw" value="{p}">',
    '<entry key="passwd">{p}</entry>',
    "<td>Password</td><td>{p}</td>",
    "<dt>Password</dt><dd>{p}</dd>",
    "<passwd><![CDATA[{p}]]></passwd>",
    "<li>{p}</li><!-- password -->",
    "| user | password |\n|---|---|\n| root | {p} |",
    "| password | {p} |",
    "**Password:** {p}",
    "**Password:** `{p}`",
    "- password: `{p}`",
    "user: root\npass: {p}",
    "user admin pw {p}",
    "use {p} as the password",
    "{p} is the password",
    "{p} is my root password",
    "{p} ist das Passwort",
    '"{p}"  # db password',
    'connect("{p}")  // password',
    'client = Client(user="x", password="{p}")',
    'password = "{p}"',
    "const password = '{p}';",
    'let dbPassword: String = "{p}"',
    "$password = '{p}';",
    'String passwd = "{p}";',
    'private static final String PASSWORD = "{p}";',
    "define('DB_PASSWORD', '{p}');",
    "$config['db']['password'] = '{p}';",
    'os.environ["DB_PASSWORD"] = "{p}"',
    "ENV DB_PASSWORD={p}",
    "ENV DB_PASSWORD {p}",
    '  MYSQL_ROOT_PASSWORD: "{p}"',
    "  - MYSQL_ROOT_PASSWORD={p}",
    "spring.datasource.password={p}",
    "password: !unsafe '{p}'",
    "password: >-\n  {p}",
    "password: |\n    {p}",
    'password = """{p}"""',
    "requirepass {p}",
    "rootpw {p}",
    "Temporary password: {p}\nPlease change it.",
    "your initial password is '{p}'.",
    "password changed from {p} to something else",
    "I set the password to {p}",
    "reset it, new pw is {p}",
    "pw: {p}",
    "PW = {p}",
    "pass phrase: {p}",
    "passphrase: {p}",
    "key passphrase is {p}",
    'password "{p}" was rejected',
    "password '{p}' is too weak",
    "failed login for bob with password {p}",
    "Invalid password: {p}",
    "bob: password?\nann: {p}",
    "[10:01] bob: the db password\n[10:01] bob: {p}",
    'password[0]="{p}"',
    '"password" : [ "{p}" ]',
    "password=%22{p}%22",
    "<keyMaterial>{p}</keyMaterial>",
    "set wireless security psk {p}",
    '"passphrase"："{p}"',
    "PASSWORD>>> {p}",
    "password ... {p}",
    "password -> {p}",
    "password → {p}",
    "pass - {p}",
    "password ==> {p}",
    "Pass/Word: {p}",
    "P@ssw0rd: {p}",
]


@pytest.mark.parametrize("password", ["Tr!ckle93x", "k8Vq$zPm2!wL", "Harvest#2218"])
@pytest.mark.parametrize("way", WAYS)
def test_a_password_is_found_however_it_is_named(way: str, password: str) -> None:
    """In sentences of many languages, settings, programs, tables, markup."""
    text = way.replace("{p}", password)
    at = text.index(password)

    assert any(span.start < at + len(password) and span.end > at for span in DETECTOR.find([text])[0])


@pytest.mark.parametrize("password", ["meadow.lantern57", "S0mmer_R3gen", "copper-violet-48"])
@pytest.mark.parametrize(
    "way", ["password: {p}", "mi contraseña es {p}", "DB_PASS={p}", '"pass": "{p}"', "<passwd>{p}</passwd>"]
)
def test_one_without_signs_is_found_where_the_link_is_sure(way: str, password: str) -> None:
    """Words with digits: behind a sign, a verb, in a field."""
    text = way.replace("{p}", password)

    assert [text[span.start : span.end] for span in DETECTOR.find([text])[0]] == [password]


@pytest.mark.parametrize(
    "text",
    [
        "password: ${DB_PASSWORD}",
        'password = config["db"]["password2"]',
        "password=args.password1,",
        "def login(user, password2): ...",
        "Passwords need 12 characters, one digit and one symbol",
        "Password reset is broken for everyone since 14:05",
        "password policy v2.3 of 2024-05-01",
        'form.errors == {"password": ["required"]}',
        "password_hash: sha256",
        'pass `dtype="datetime64[ns]"` instead',
        'addToken(0x14, "DevicePassword")\npage.addToken(0x15, "Password")',
        "password = password.encode('utf-8')",
        "the password is required in step 2",
        "password: str | None = None",
        "| user | password |\n|---|---|\n| root | required |",
        "pwd=/home/u1/src",
        "password: changeme123",
    ],
)
def test_what_is_said_about_passwords_is_left(text: str) -> None:
    """Variables, expressions, words, names of algorithms."""
    assert DETECTOR.find([text])[0] == []


def test_pieces_in_the_lines_of_a_chat_are_one() -> None:
    """Told over two messages under the word."""
    text = "[15:10] ann: the db password\n[15:10] ann: Regen\n[15:10] ann: @3596!\n[15:15] bob: thanks, got all of it"
    found = DETECTOR.find([text])[0]

    assert any("@3596" in text[span.start : span.end] for span in found)


@pytest.mark.parametrize(
    ("before", "said", "after"),
    [
        ("password = ", "copper with a zero instead of o and 837 at the end", " and that's all"),
        ("so database password: ", "walnut all lower case, then 636 and a hash", "\nnext"),
        ("the wifi password is ", "maple tree, one word, capital M, then 42", " ok"),
        ("das Passwort ist ", "Sommer großgeschrieben, dann 2024 und ein Ausrufezeichen", " fertig"),
    ],
)
def test_a_password_that_is_described_is_found(before: str, said: str, after: str) -> None:
    """From its word to the last thing that is said of it."""
    text = before + said + after

    assert [text[span.start : span.end] for span in DETECTOR.find([text])[0] if span.entity == "PASSWORD"] == [said]


@pytest.mark.parametrize(
    "text",
    [
        "password: at least 8 characters, one upper case letter, an exclamation mark",
        "Password is case sensitive and at the end you press enter",
        "the password is set at the start",
    ],
)
def test_rules_for_passwords_are_left(text: str) -> None:
    """What one must have."""
    assert DETECTOR.find([text])[0] == []
