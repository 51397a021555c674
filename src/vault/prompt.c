#include "vault/prompt.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

enum { CTRL_C = 3, CTRL_D = 4, BACKSPACE = 8, CTRL_U = 21, DEL = 127 };

struct answer {
    uint8_t text[PROMPT_MAX];
    size_t len;
    bool too_long;
};

/* The last character, which may be several bytes of UTF-8. */
static void drop_last(struct answer *a)
{
    while (a->len && (a->text[a->len - 1] & 0xc0) == 0x80) a->len--;
    if (a->len) a->len--;
}

static void take_key(struct answer *a, uint8_t key)
{
    if (key == BACKSPACE || key == DEL) {
        drop_last(a);
    } else if (key == CTRL_U) {
        a->len = 0;
    } else if (a->len == sizeof a->text) {
        a->too_long = true;
    } else {
        a->text[a->len++] = key;
    }
}

static int read_answer(struct answer *a, int tty, struct err *e)
{
    for (;;) {
        uint8_t key;
        ssize_t n = read(tty, &key, 1);
        if (n < 0 && errno == EINTR) continue;
        bool is_end = n == 0 || (key == CTRL_D && !a->len);
        if (n < 0) return err_errno(e, ERR_INPUT, errno, "the terminal");
        if (is_end || key == CTRL_C) return err_set(e, ERR_CANCEL, "not answered");
        if (key == '\r' || key == '\n' || key == CTRL_D) return 0;
        take_key(a, key);
    }
}

static int ask(struct secret *out, int tty, struct err *e)
{
    struct answer a = {.len = 0};
    int rc = read_answer(&a, tty, e);
    if (rc == 0 && a.too_long) rc = err_set(e, ERR_INPUT, "the answer is longer than %d bytes", PROMPT_MAX);
    if (rc == 0) rc = secret_take(out, (struct bytes){a.text, a.len}, e);
    secret_wipe(&a, sizeof a);
    return rc;
}

static int say(int tty, const char *what, struct err *e)
{
    return file_write_all(tty, bytes_of(str_from(what)), e);
}

int prompt_secret(struct secret *out, const char *what, struct err *e)
{
    struct termios before, quiet;
    struct err ignored;
    defer_close int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (tty < 0 || tcgetattr(tty, &before) < 0) {
        err_set(e, ERR_INPUT, "prompt: there is no terminal to ask on");
        return err_hint(e, "where nobody sits in front of it write file:PATH, env:NAME or cred:NAME");
    }
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    quiet.c_cc[VMIN] = 1;
    quiet.c_cc[VTIME] = 0;
    if (tcsetattr(tty, TCSAFLUSH, &quiet) < 0) return err_errno(e, ERR_INPUT, errno, "the terminal");
    int rc = say(tty, what, e);
    if (rc == 0) rc = say(tty, ": ", e);
    if (rc == 0) rc = ask(out, tty, e);
    tcsetattr(tty, TCSAFLUSH, &before);
    (void)!say(tty, "\n", &ignored);
    return rc;
}
