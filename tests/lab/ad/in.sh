#!/bin/bash
# in.sh CMD...: run CMD with the lab's DNS, krb5.conf and CA (ADLAB names the lab).
. "$(dirname "$(readlink -f "$0")")/env.sh"; need_lab
export LDAPTLS_CACERT="$ADLAB/ca/ca.pem" KRB5_CONFIG="$ADLAB/krb5.conf"
inlab "$@"
