/* The agent of keyed.py in C, with no JSON library:
 *
 *     cc -O2 -o keyed keyed.c        and then        cmd:./keyed
 *
 * Requests are one line each, and their fields come in a fixed order (docs/protocol.md), so
 * that a few string searches are enough. The key is ASCII with JSON's escapes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *line;
static size_t room;

/* Return where the value of `"name":` starts, or NULL. */
static const char *value_of(const char *name) {
    char pattern[64];
    snprintf(pattern, sizeof pattern, "\"%s\":", name);
    const char *found = strstr(line, pattern);
    return found ? found + strlen(pattern) : NULL;
}

/* Return the sum of the code points of a JSON string (in the basic plane). */
static long letters(const char *text) {
    long total = 0;
    for (text++; *text && *text != '"'; text++) {
        if (*text != '\\') {
            total += (unsigned char)*text;
            continue;
        }
        text++;
        switch (*text) {
        case 'n': total += '\n'; break;
        case 't': total += '\t'; break;
        case 'r': total += '\r'; break;
        case 'b': total += '\b'; break;
        case 'f': total += '\f'; break;
        case 'u': {
            char digits[5] = {0};
            memcpy(digits, text + 1, 4);
            total += strtol(digits, NULL, 16);
            text += 4;
            break;
        }
        default: total += (unsigned char)*text;
        }
    }
    return total;
}

/* Read `[1, 2, 3]` and return entry number total mod length. */
static long pick(const char *text, long total) {
    long count = 0, wanted = 0;
    for (const char *at = text; *at != ']'; at++)
        if (*at >= '0' && *at <= '9' && !(at[-1] >= '0' && at[-1] <= '9')) count++;
    if (count == 0) return -1;
    wanted = total % count;
    for (const char *at = text;; at++)
        if (*at >= '0' && *at <= '9' && !(at[-1] >= '0' && at[-1] <= '9') && wanted-- == 0)
            return strtol(at, NULL, 10);
}

int main(void) {
    long moves = 0;
    while (getline(&line, &room, stdin) > 0) {
        const char *type = value_of("type");
        if (!type) return 1;
        if (!strncmp(type, "\"hello\"", 7)) {
            puts("{\"protocol\":1,\"name\":\"keyed\",\"want\":[\"key\"]}");
        } else if (!strncmp(type, "\"begin\"", 7)) {
            moves = 0;
            puts("{\"ready\":true}");
        } else if (!strncmp(type, "\"act\"", 5)) {
            long total = letters(value_of("key")) + moves++;
            printf("{\"action\":%ld}\n", pick(value_of("actions"), total));
        } else if (!strncmp(type, "\"end\"", 5)) {
            puts("{\"ok\":true}");
        } else {
            break; /* quit */
        }
        fflush(stdout);
    }
    return 0;
}
