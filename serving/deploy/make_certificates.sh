#!/usr/bin/env bash
# Keys for trying TLS and mTLS; in production they come from your own authority.
#   serving/deploy/make_certificates.sh DIR [HOST ...]
# DIR/ssl.config is what TensorFlow Serving takes (--ssl_config_file); a client takes ca.pem, and
# client.pem with client.key where ssl.config says client_verify.
set -euo pipefail
cd "$(mkdir -p "$1" && cd "$1" && pwd)"
shift
names="DNS:localhost,IP:127.0.0.1"
for host in "$@"; do
  [[ $host =~ ^[0-9.]+$|: ]] && kind=IP || kind=DNS
  names+=",$kind:$host"
done
umask 077

openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj "/CN=transfer-pipeline test authority" \
  -keyout ca.key -out ca.pem 2>/dev/null
for who in server client; do
  openssl req -newkey rsa:2048 -nodes -subj "/CN=$who" -keyout "$who.key" -out "$who.csr" 2>/dev/null
  openssl x509 -req -in "$who.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 365 \
    -extfile <(echo "subjectAltName=$names") -out "$who.pem" 2>/dev/null
  rm "$who.csr"
done

quoted() { sed 's/$/\\n/' "$1" | tr -d '\n'; }
{
  echo "server_key: \"$(quoted server.key)\""
  echo "server_cert: \"$(quoted server.pem)\""
  echo "custom_ca: \"$(quoted ca.pem)\""
  echo "client_verify: ${CLIENT_VERIFY:-false}"
} > ssl.config
echo "$PWD/ssl.config"
