#include "secrets.h"

#include "catch.h"

namespace asyncspy {
namespace {

std::string mask(std::string_view text, bool is_cut = false) {
  const std::u32string masked = mask_secrets(std::u32string(text.begin(), text.end()), is_cut);
  return {masked.begin(), masked.end()};
}

}  // namespace

TEST_CASE("names of secrets are known however they are spelled") {
  for (const char* name : {"password", "Password", "PASSWORD", "db_password", "dbPassword", "userpassword", "passwd", "pwd", "_Client__secret",
                           "client_secret", "clientSecret", "SECRET_KEY", "token", "access_token", "accessToken", "authtoken", "refresh_token", "id_token",
                           "CSRFToken", "tokens", "Authorization", "proxy-authorization", "auth", "basic_auth", "cookie", "Set-Cookie",
                           "session", "session_id", "sessionid", "PHPSESSID", "api_key", "apiKey", "APIKey", "apikey", "X-Api-Key", "X-Auth-Token",
                           "private_key", "privateKey", "aws_secret_access_key", "AWS_ACCESS_KEY_ID", "credentials", "creds", "dsn", "SENTRY_DSN",
                           "database_dsn", "jwt", "bearer", "otp", "passphrase", "db_pass", "pass", "signing_key", "ssh_key"}) {
    INFO(name);
    CHECK(is_secret_name(name));
  }
}

TEST_CASE("names that only look alike, or tell something about a secret, are left alone") {
  for (const char* name : {"", "_", "0", "x", "author", "authority", "authenticated", "key", "keys", "monkey", "keyboard", "passenger", "bypass", "compass",
                           "passed", "tokenizer", "tokenize", "token_count", "max_tokens", "prompt_tokens", "total_tokens", "num_tokens", "password_length",
                           "token_type", "session_timeout", "token_expires", "token_ttl", "password_file", "secret_path", "side", "inside", "request", "user",
                           "username", "login", "url", "host", "data", "self", "obsession_level", "cache_key", "primary_key"}) {
    INFO(name);
    CHECK_FALSE(is_secret_name(name));
  }
}

TEST_CASE("passwords in URLs are masked, whatever the password") {
  CHECK(mask("postgresql://app:hunter2@db:5432/shop") == "postgresql://app:<masked>@db:5432/shop");
  CHECK(mask("redis://:hunter2@cache/0") == "redis://:<masked>@cache/0");
  CHECK(mask("amqp://u:p@ss@mq/vhost and https://a:b@c") == "amqp://u:<masked>@mq/vhost and https://a:<masked>@c");
  CHECK(mask("mysql://u:p/w@h/db") == "mysql://u:<masked>@h/db");
  CHECK(mask("'http://u:secret@[::1]:80/'") == "'http://u:<masked>@[::1]:80/'");
  CHECK(mask("failed: app:hunter2@db:5432") == "failed: app:<masked>@db:5432");
}

TEST_CASE("URLs and addresses without a password stay as they are") {
  for (const char* text : {"http://host:8080/path", "http://host:8080/@user", "https://example.org/?mail=a@b", "ssh://git@host/repo", "http://[::1]:80/",
                           "mailto:bob@example.org", "sip:bob@example.org", "bob@example.org", "bob@example.org: not found", "at 12:30 @ noon", "a: b@c",
                           "://", "http://", "http://:", "@", ":@", ""}) {
    INFO(text);
    CHECK(mask(text) == text);
    CHECK(mask(std::string(text) + " and more", true) == std::string(text) + " and more");
  }
}

TEST_CASE("a password whose end was cut off is masked") {
  CHECK(mask("postgresql://app:hunt", true) == "postgresql://app:<masked>");
  CHECK(mask("postgresql://app:hunt", false) == "postgresql://app:hunt");  // a host and a port, however odd
  CHECK(mask("http://host:80", true) == "http://host:<masked>");
  CHECK(mask("http://host:80", false) == "http://host:80");
  CHECK(mask("Authorization: Bearer abc", true) == "Authorization: <masked>");
  CHECK(mask("x Bearer abc", true) == "x Bearer <masked>");
  CHECK(mask("{'password': 'abc", true) == "{'password': '<masked>");
}

TEST_CASE("what a text says of a secret by name is masked") {
  CHECK(mask("host=db password=hunter2 user=app") == "host=db password=<masked> user=app");
  CHECK(mask("Server=db;Pwd=hunter2;Timeout=3") == "Server=db;Pwd=<masked>;Timeout=3");
  CHECK(mask("GET /?token=abc&page=2") == "GET /?token=<masked>&page=2");
  CHECK(mask("Host: x\r\nAuthorization: Basic YWJj, d=\"e\"\r\nAccept: */*") == "Host: x\r\nAuthorization: <masked>\r\nAccept: */*");
  CHECK(mask("Cookie: a=b; sessionid=c\nHost: x") == "Cookie: <masked>\nHost: x");
  CHECK(mask(R"({"user": "bob", "password": "hun\"ter2", "n": 1})") == R"({"user": "bob", "password": "<masked>", "n": 1})");
  CHECK(mask("{'api_key': 12345, 'n': 1}") == "{'api_key': <masked>, 'n': 1}");
  CHECK(mask("{b'x-api-key': b'abc'}") == "{b'x-api-key': b'<masked>'}");
  CHECK(mask("connect(password = 'hunter2')") == "connect(password = '<masked>')");
  CHECK(mask("with Bearer eyJhbGciOiJIUzI1NiJ9.e30.x") == "with Bearer <masked>");
}

TEST_CASE("prose about secrets stays readable") {
  for (const char* text : {"the password is wrong", "invalid token", "session: closed", "auth: denied", "token_count=7", "max_tokens: 4096", "Bearer token",
                           "author: Bob", "password", "token=", "password:"}) {
    INFO(text);
    CHECK(mask(text) == text);
  }
}

TEST_CASE("texts of any shape are masked without harm") {
  for (const char* text : {"password='", "password=\"\\", "password='\\'", "://:@", "a:b@", "token: ://", "cookie:", "auth=b'", "@@@@", "::::@"}) {
    for (bool is_cut : {false, true}) CHECK(mask(text, is_cut).size() <= std::string_view(text).size() + 3 * kMasked.size());
  }
  CHECK(mask_secrets(std::u32string(5000, U'@')).size() == 5000);
}

}  // namespace asyncspy
