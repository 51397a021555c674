#include "store/sqlite_class.h"

#include <sqlite3.h>

int sqlite_class(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG: return ERR_LIMIT;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN: return ERR_DENIED;
    case SQLITE_NOTADB: return ERR_INPUT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ERR_CONFLICT;
    default: return ERR_BUG;
    }
}
