#!/usr/bin/env bash
# drive.sh URL USER PASSWORD: uses a host as a client of its JSON, with an authenticator
# app that is oathtool. It keeps a session in a cookie or as a bearer token, whichever the
# host gives.
set -euo pipefail
url=$1 user=$2 password=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
session='' receipt='' answer='' status=''

# call STATUS METHOD PATH [BODY] sends a request and expects that status.
call() {
  local -a with=(-sS -o "$work/answer" -w '%{http_code}' -b "$work/cookies" -c "$work/cookies" -X "$2"
    -H 'Accept: application/json' -H 'Content-Type: application/json')
  [ -z "$session" ] || with+=(-H "Authorization: Bearer $session")
  [ -z "$receipt" ] || with+=(-H "Twofactor-Receipt: $receipt")
  [ "$#" -lt 4 ] || with+=(--data "$4")
  status=$(curl "${with[@]}" "$url$3")
  answer=$(cat "$work/answer")
  [ "$status" = "$1" ] || { echo "$2 $3: status $status, want $1: $answer"; exit 1; }
  local new; new=$(text session)
  [ -z "$new" ] || session=$new
}

# text KEY prints the text of that key in the answer.
text() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" <<<"$answer"; }

# expect KEY TEXT compares a text of the answer.
expect() { [ "$(text "$1")" = "$2" ] || { echo "$1 is not $2: $answer"; exit 1; }; }

# next sets code to one that was not used. A code is right for a step of thirty seconds,
# and in the steps before and after that.
last=0
next() {
  local now want
  now=$(date +%s) want=$((last + 1))
  local early=$((now / 30 - (now % 30 < 15)))
  [ "$want" -ge "$early" ] || want=$early
  while [ "$want" -gt $(($(date +%s) / 30 + 1)) ]; do sleep 1; done
  last=$want code=$(oathtool --totp -b "$secret" -N "@$((want * 30))")
}

login() {
  session='' receipt=''; : >"$work/cookies"
  call 200 POST /login "{\"user\":\"$user\",\"password\":\"$password\"}"
}

login; expect next proceed
call 200 POST /2fa/setup/begin '{}'
secret=$(text secret) token=$(text token)
call 422 POST /2fa/setup "{\"token\":\"$token\",\"code\":\"12\"}"; expect reason malformed_code
next; call 200 POST /2fa/setup "{\"token\":\"$token\",\"code\":\"$code\"}"; expect event enabled
recovery=$(grep -o '"codes":\["[^"]*' <<<"$answer" | cut -d'"' -f4)
echo "on, with the recovery code ${recovery:0:4}-…"

login; expect next ask_code; challenge=$(text challenge)
call 401 GET /2fa/; expect reason signed_out
call 422 POST /2fa/sign-in "{\"challenge\":\"$challenge\",\"code\":\"$code\"}"
next; call 200 POST /2fa/sign-in "{\"challenge\":\"$challenge\",\"code\":\"$code\"}"; expect factor totp
call 200 GET /2fa/; expect state confirmed
echo "signed in by the app"

call 403 POST /danger
next; call 200 POST /2fa/step "{\"for\":\"danger\",\"code\":\"$code\"}"; receipt=$(text receipt)
call 200 POST /danger
echo "did something dangerous"

login; challenge=$(text challenge)
call 200 POST /2fa/sign-in "{\"challenge\":\"$challenge\",\"code\":\"$recovery\"}"; expect factor recovery
call 403 POST /2fa/disable '{}'; expect reason proof_required
call 422 POST /2fa/step "{\"for\":\"settings\",\"code\":\"$recovery\"}"; expect reason replayed
echo "signed in by a recovery code"
