/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A prompt of the debugger's, which the user's program may have made, with its escape sequences and without. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/mem.h"
#include "fred/editor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *prompt = xstrndup((const char *)data, size);
	cleanup_buf struct buf same = { 0 }, plain = { 0 }, escaped = { 0 };

	editor_add_plain(&same, prompt, false);
	must(strcmp(buf_str(&same), prompt) == 0);
	editor_add_plain(&plain, prompt, true);
	must(plain.len <= same.len);
	if (strchr(prompt, '\033') == NULL)
		must(strcmp(buf_str(&plain), prompt) == 0);
	buf_addescaped(&escaped, (const char *)data, size);
	for (size_t i = 0; i < escaped.len; i++)
		must(escaped.data[i] >= ' ' && escaped.data[i] <= '~');
	return 0;
}
