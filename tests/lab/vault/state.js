'use strict';
// state - what the server knows; every member can be replaced by the control port.

const days = (n) => new Date(Date.now() - n * 86400000).toISOString();

// One version of a key/value 2 secret.
const version = (data, more) => ({ data, created_time: days(9), deletion_time: '', destroyed: false, ...more });

function fresh() {
  return {
    initialized: true,
    sealed: false,
    standby: false, // true: requests are redirected to the active node
    throttled: 0, // so many requests more get 429
    broken: 0, // so many requests more get 500
    foreign: false, // something in between answers with a page of its own
    knows_mounts: true, // sys/internal/ui/mounts is there
    // by namespace, then by mount
    namespaces: {
      '': {
        'secret/': {
          type: 'kv',
          version: '2',
          secrets: {
            'rollcall/corp': [version({ password: 'Lab-Reader-1', user: 'reader', pin: 1234 })],
            'rollcall/odd name/ä': [version({ 'pass word': 'odd' })],
            'rollcall/twice': [version({ password: 'old' }), version({ password: 'new' })],
            'rollcall/deleted': [version({ password: 'x' }), version(null, { deletion_time: days(1) })],
            'rollcall/destroyed': [version(null, { destroyed: true })],
            'rollcall/empty': [version({})],
            'hidden/corp': [version({ password: 'hid-1' })],
          },
        },
        'team/kv/': { type: 'kv', version: '2', secrets: { deep: [version({ password: 'deep-1' })] } },
        'old/': { type: 'kv', version: '1', secrets: { 'rollcall/corp': { password: 'from-v1' } } },
        'pki/': { type: 'pki', version: '', secrets: {} },
      },
      'iam/eu': { 'secret/': { type: 'kv', version: '2', secrets: { 'rollcall/corp': [version({ password: 'of-eu' })] } } },
    },
    policies: {
      default: { 'auth/token/lookup-self': ['read'], 'sys/capabilities-self': ['update'] },
      rollcall: {
        'secret/data/rollcall/*': ['read'],
        'team/kv/data/*': ['read'],
        'old/*': ['read'],
        'pki/*': ['read'],
        'nothere/*': ['read'],
      },
    },
    tokens: {
      'hvs.good': { policies: ['default', 'rollcall'], ttl: 3600, namespace: '' },
      'hvs.poor': { policies: ['default'], ttl: 3600, namespace: '' },
      'hvs.root': { policies: ['root'], ttl: 0, namespace: '' },
      'hvs.eu': { policies: ['default', 'rollcall'], ttl: 3600, namespace: 'iam/eu' },
    },
    approles: {
      '': {
        approle: {
          'role-1': { secret_ids: { 'sid-1': {}, 'sid-once': { uses: 1 } }, policies: ['default', 'rollcall'], needs_secret: true },
          'role-open': { secret_ids: {}, policies: ['default', 'rollcall'], needs_secret: false },
        },
      },
    },
  };
}

module.exports = { fresh };
