/* asker_wire.h - what goes over the socketpair between asker.c and `rollcall answer` (cmd/answer.c).
 *
 * Question: u32le length, JSON {words[], as: "json"|"text"|"page", offset, limit}.
 * Answer: u32le length, JSON head, u32le length, body. Of a failure the head is {class, message, hint} and the body empty; else the body is what the command
 * printed, of a page a JSON array of its rows with the head {total, hidden, gaps[], as_of}.
 */
#ifndef ROLLCALL_SERVER_ASKER_WIRE_H
#define ROLLCALL_SERVER_ASKER_WIRE_H

#define ASKER_FD           3
#define ASKER_QUESTION_MAX (256u << 10)
#define ASKER_HEAD_MAX     (1u << 20)
#define ASKER_BODY_MAX     (64u << 20)
#define ASKER_WORDS_MAX    64
#define ASKER_ROWS_MAX     100000 /* of an answer that is told by pages */

#endif
