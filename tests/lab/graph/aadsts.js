'use strict';
// aadsts - the login service's errors: OAuth 2.0's two fields and Microsoft's own five.
const crypto = require('crypto');

const CONSENT =
  'This can happen if the application has not been installed by the administrator of the tenant or consented to by ' +
  'any user in the tenant. You may have sent your authentication request to the wrong tenant.';

// code: [HTTP status, error, text; its holes are filled in order]
const TABLE = {
  50013: [401, 'invalid_client', 'Assertion failed: {}'],
  50027: [401, 'invalid_client', 'JWT token is invalid or malformed{}.'],
  50034: [400, 'invalid_grant', 'The user account does not exist in the directory.'],
  53003: [
    400,
    'invalid_grant',
    'Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.',
  ],
  70003: [400, 'unsupported_grant_type', "The app requested an unsupported grant type '{}'."],
  70011: [
    400,
    'invalid_scope',
    "The provided value for the input parameter 'scope' is not valid. The scope {} is not valid.",
  ],
  70021: [
    400,
    'invalid_request',
    "No matching federated identity record found for presented assertion. Assertion Issuer: '{}'. Assertion Subject: " +
      "'{}'. Assertion Audience: '{}'. https://docs.microsoft.com/en-us/azure/active-directory/develop/workload-identity-federation",
  ],
  90002: [
    400,
    'invalid_tenant',
    "Tenant '{}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. " +
      'Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.',
  ],
  90006: [503, 'temporarily_unavailable', 'External service is temporarily unavailable. Please retry the request.'],
  90012: [503, 'temporarily_unavailable', 'The request to the service timed out. Please retry the request.'],
  90024: [
    504,
    'temporarily_unavailable',
    'The request budget was exceeded. A transient error occurred. Please retry the request.',
  ],
  90033: [503, 'temporarily_unavailable', 'A transient error has occurred. Please try again.'],
  90055: [429, 'temporarily_unavailable', 'The server has terminated an excessive number of requests of this tenant.'],
  500011: [400, 'invalid_resource', 'The resource principal named {} was not found in the tenant named {}. ' + CONSENT],
  700016: [
    400,
    'unauthorized_client',
    "Application with identifier '{}' was not found in the directory '{}'. " + CONSENT,
  ],
  700021: [401, 'invalid_client', "Client assertion application identifier doesn't match 'client_id' parameter."],
  700023: [
    401,
    'invalid_client',
    'Client assertion audience claim does not match Realm issuer. Review the documentation at ' +
      'https://learn.microsoft.com/entra/identity-platform/certificate-credentials.',
  ],
  700024: [
    401,
    'invalid_client',
    'Client assertion is not within its valid time range. Current time: {}, assertion valid from {}, expiry time of assertion {}.',
  ],
  700027: [401, 'invalid_client', 'Client assertion failed signature validation. [Reason - {}]'],
  900144: [400, 'invalid_request', "The request body must contain the following parameter: '{}'."],
  900561: [405, 'invalid_request', 'The endpoint only accepts POST requests. Received a {} request.'],
  7000215: [
    401,
    'invalid_client',
    'Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the ' +
      "client secret ID, for a secret added to app '{}'.",
  ],
  7000216: [
    401,
    'invalid_client',
    "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
  ],
  7000222: [
    401,
    'invalid_client',
    "The provided client secret keys for app '{}' are expired. Visit the Azure portal to create new keys for your app: " +
      'https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.',
  ],
};

class ClientError extends Error {
  constructor(code, fillings) {
    const [status, error, text] = TABLE[code] || [400, 'invalid_request', 'An error occurred.'];
    super(text.replace(/\{\}/g, () => fillings.shift() ?? ''));
    Object.assign(this, { code, status, error });
  }

  body(correlation, origin) {
    const trace = crypto.randomUUID();
    const timestamp = new Date().toISOString().replace('T', ' ').slice(0, 19) + 'Z';
    const lines = [`AADSTS${this.code}: ${this.message}`, `Trace ID: ${trace}`, `Correlation ID: ${correlation}`];
    return JSON.stringify({
      error: this.error,
      error_description: [...lines, `Timestamp: ${timestamp}`].join('\r\n'),
      error_codes: [this.code],
      timestamp,
      trace_id: trace,
      correlation_id: correlation,
      error_uri: `${origin}/error?code=${this.code}`,
    });
  }
}

const fail = (code, ...fillings) => new ClientError(code, fillings);

module.exports = { ClientError, fail };
