#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access/graph/zip.h"
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void crc_of_known_texts(void **state)
{
    (void)state;
    assert_int_equal(zip_crc32(0, bytes_of(STR(""))), 0);
    assert_int_equal(zip_crc32(0, bytes_of(STR("123456789"))),
                     0xcbf43926u); /* the check value of CRC-32/ISO-HDLC */
    assert_int_equal(zip_crc32(zip_crc32(0, bytes_of(STR("1234"))), bytes_of(STR("56789"))), 0xcbf43926u);
    assert_int_equal(zip_crc32(0, bytes_of(STR("The quick brown fox jumps over the lazy dog"))), 0x414fa339u);
}

static uint32_t u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void fill(int fd, size_t n_long)
{
    struct err e;
    struct zip *z = zip_new(fd);
    assert_int_equal(zip_entry(z, "a.json", &e), 0);
    buf_add_str(zip_buf(z), STR("123456789"));
    assert_int_equal(zip_wrote(z, &e), 0);
    assert_int_equal(zip_entry(z, "empty", &e), 0);
    assert_int_equal(zip_entry(z, "long", &e), 0);
    for (size_t i = 0; i < n_long; i++) {
        buf_add_str(zip_buf(z), STR("0123456789abcdef"));
        assert_int_equal(zip_wrote(z, &e), 0);
    }
    assert_int_equal(zip_finish(z, &e), 0);
    zip_free(z);
}

static void headers_hold_what_was_written(void **state)
{
    (void)state;
    struct err e;
    int fd;
    uint8_t head[64];
    assert_int_equal(file_spill(&fd, &e), 0);
    fill(fd, 100000);
    assert_int_equal(pread(fd, head, sizeof head, 0), sizeof head);
    assert_int_equal(u32(head), 0x04034b50);
    assert_int_equal(u32(head + 14), 0xcbf43926u);
    assert_memory_equal(head + 30, "a.json", 6);
    assert_int_equal(u32(head + 40), 9); /* in the ZIP64 field */
    off_t end = lseek(fd, 0, SEEK_END);
    assert_true(end > 1600000 && end < 1601000);
    assert_int_equal(pread(fd, head, 22, end - 22), 22);
    assert_int_equal(u32(head), 0x06054b50);
    assert_int_equal(head[8], 3); /* entries */
    close(fd);
}

/* An independent reader checks every size and sum. */
static void unzip_reads_it(void **state)
{
    (void)state;
    char path[] = "/tmp/rollcall-zip-XXXXXX", command[256];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    fill(fd, 1000);
    close(fd);
    snprintf(command, sizeof command,
             "python3 -c \"import zipfile, sys; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None;"
             " assert z.namelist() == ['a.json', 'empty', 'long'] and z.read('long') == b'0123456789abcdef' "
             "* 1000 and z.read('empty') == b''\" %s",
             path);
    int rc = system(command);
    unlink(path);
    assert_int_equal(rc, 0);
}

static void limits(void **state)
{
    (void)state;
    struct err e;
    int fd;
    char name[ZIP_NAME_MAX + 2];
    assert_int_equal(file_spill(&fd, &e), 0);
    struct zip *z = zip_new(fd);
    buf_add_byte(zip_buf(z), 'x');
    assert_int_equal(zip_finish(z, &e), ERR_BUG);
    zip_free(z);
    z = zip_new(fd);
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    assert_int_equal(zip_entry(z, name, &e), ERR_LIMIT);
    for (int i = 0; i < ZIP_ENTRIES_MAX; i++) assert_int_equal(zip_entry(z, "n", &e), 0);
    assert_int_equal(zip_entry(z, "n", &e), ERR_LIMIT);
    zip_free(z);
    close(fd);
    assert_int_equal(file_spill(&fd, &e), 0);
    z = zip_new(fd);
    assert_int_equal(zip_entry(z, "n", &e), 0);
    close(fd);
    buf_add_byte(zip_buf(z), 'x');
    assert_true(zip_finish(z, &e) < 0); /* told, not swallowed */
    zip_free(z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc_of_known_texts),
        cmocka_unit_test(headers_hold_what_was_written),
        cmocka_unit_test(unzip_reads_it),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
