'use strict';
// errors - what the services answer when they do not do what they were asked; texts as published or observed.

class GraphError extends Error {
  constructor(status, code, message, headers = {}) {
    super(message);
    Object.assign(this, { status, code, headers });
  }

  body(call) {
    const inner = {
      date: new Date().toISOString().slice(0, 19),
      'request-id': call.requestId,
      'client-request-id': call.clientRequestId,
    };
    return JSON.stringify({ error: { code: this.code, message: this.message, innerError: inner } });
  }
}

const WWW =
  'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"';
const bad = (code, message) => new GraphError(400, code, message);

const errors = {
  unauthorized: (message) => new GraphError(401, 'InvalidAuthenticationToken', message, { 'WWW-Authenticate': WWW }),
  denied: () =>
    new GraphError(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.'),
  reportDenied: (role) =>
    new GraphError(
      403,
      'Authentication_MSGraphPermissionMissing',
      'The principal does not have required Microsoft Graph permission(s): ' +
        role +
        ' to call this API. For more information about Microsoft Graph permissions, please visit https://learn.microsoft.com/graph/permissions-reference',
    ),
  notPremium: () =>
    new GraphError(
      403,
      'Authentication_RequestFromNonPremiumTenantOrB2CTenant',
      "Neither tenant is B2C or tenant doesn't have premium license",
    ),
  notP2: () =>
    bad(
      'AadPremiumLicenseRequired',
      'The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.',
    ),
  notFound: (id) =>
    new GraphError(
      404,
      'Request_ResourceNotFound',
      "Resource '" + id + "' does not exist or one of its queried reference-property objects are not present.",
    ),
  noSegment: (segment) => bad('BadRequest', "Resource not found for the segment '" + segment + "'."),
  pageSize: (top) =>
    bad('Request_BadRequest', "Invalid page size specified: '" + top + "'. Must be between 1 and 999 inclusive."),
  noCount: () => bad('Request_BadRequest', '$count is not currently supported.'),
  orderBy: (property, type) =>
    bad('Request_UnsupportedQuery', "Unsupported sort property '" + property + "' for '" + type + "'."),
  unknownProperty: (property, type) =>
    bad(
      'BadRequest',
      "Parsing OData Select and Expand failed: Could not find a property named '" +
        property +
        "' on type 'microsoft.graph." +
        type +
        "'.",
    ),
  filter: (why) => bad('BadRequest', 'Invalid filter clause: ' + why),
  filterProperty: (p) =>
    bad(
      'Request_UnsupportedQuery',
      "Unsupported or invalid query filter clause specified for property '" + p + "' of resource 'User'.",
    ),
  tooManyClauses: (n) =>
    bad(
      'Request_UnsupportedQuery',
      "Too many child clauses specified in search filter expression containing 'OR' operators: " +
        n +
        '. Max allowed: 15.',
    ),
  unsupportedQuery: () => bad('Request_UnsupportedQuery', 'Unsupported Query.'),
  option: (name) => bad('Request_BadRequest', "The query option '" + name + "' is not supported."),
  expiredPage: () =>
    bad(
      'Directory_ExpiredPageToken',
      'The specified page token value has expired and can no longer be included in your request.',
    ),
  badPage: () => bad('Request_BadRequest', 'Invalid skip token.'),
  deltaSelect: (names) =>
    bad(
      'BadRequest',
      'Invalid request for delta query: for this entity set, $expand/$select is not supported for the following properties: ' +
        names.join(','),
    ),
  signIn120: () =>
    bad(
      'UnknownError',
      JSON.stringify({
        '@odata.context': 'http://reportingservice.activedirectory.windowsazure.com/auditLogs/$metadata#Edm.String',
        value: 'Cannot query data for more than 120 users at a time.',
      }),
    ),
  signInByName: () => bad('BadRequest', 'Get By Key only supports UserId and the key has to be a valid Guid'),
  longSelect: () => bad('BadRequest', 'The query specified in the URI is not valid.'),
  notInList: () => new GraphError(501, 'NotImplemented', 'The requested property cannot be returned in a list.'),
  method: () =>
    new GraphError(405, 'Request_BadRequest', 'Specified HTTP method is not allowed for the request target.'),
  body: () =>
    bad(
      'BadRequest',
      'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.',
    ),
};

module.exports = { GraphError, errors };
