'use strict';
// aadsts - the login service's errors: OAuth 2.0's two fields and Microsoft's own five.
const crypto = require('crypto');

class ClientError extends Error {
  constructor(code, status, error, message, headers = {}) {
    super(message);
    Object.assign(this, { code, status, error, headers });
  }

  body(correlation, origin) {
    const trace = crypto.randomUUID(), timestamp = new Date().toISOString().replace('T', ' ').slice(0, 19) + 'Z';
    return JSON.stringify({ error: this.error,
      error_description: 'AADSTS' + this.code + ': ' + this.message + '\r\nTrace ID: ' + trace + '\r\nCorrelation ID: ' + correlation + '\r\nTimestamp: ' + timestamp,
      error_codes: [this.code], timestamp, trace_id: trace, correlation_id: correlation, error_uri: origin + '/error?code=' + this.code });
  }
}

const fail = (code, status, error, message, headers) => new ClientError(code, status, error, message, headers);

// What a fault of kind "aadsts" gives on demand.
const ON_DEMAND = {
  90006: [503, 'temporarily_unavailable', 'External service is temporarily unavailable. Please retry the request.'],
  90012: [503, 'temporarily_unavailable', 'The request to the service timed out. Please retry the request.'],
  90024: [504, 'temporarily_unavailable', 'The request budget was exceeded. A transient error occurred. Please retry the request.'],
  90033: [503, 'temporarily_unavailable', 'A transient error has occurred. Please try again.'],
  90055: [429, 'temporarily_unavailable', 'The server has terminated an excessive number of requests of this tenant.'],
  50034: [400, 'invalid_grant', 'The user account does not exist in the directory.'],
  7000215: [401, 'invalid_client', 'Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app.'],
  7000222: [401, 'invalid_client', 'The provided client secret keys for app are expired.'],
  700016: [400, 'unauthorized_client', 'Application was not found in the directory.'],
  500011: [400, 'invalid_resource', 'The resource principal was not found in the tenant.'],
  53003: [400, 'invalid_grant', 'Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.'],
};

function onDemand(code, headers) {
  const [status, error, message] = ON_DEMAND[code] || [400, 'invalid_request', 'An error occurred.'];
  return fail(code, status, error, message, headers);
}

module.exports = { ClientError, fail, onDemand };
