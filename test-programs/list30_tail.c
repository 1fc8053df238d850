/* SPDX-License-Identifier: GPL-3.0-or-later */
/* As list30.c, but the list grows in the rest of a statement after the function that it calls has returned. */
#include <stdio.h>
#include <stdlib.h>

struct node {
	int value;
	struct node *next;
};

static struct node *head;

int list_len(const struct node *list)
{
	int n = 0;

	for (; list != NULL; list = list->next)
		n++;
	return n;
}

static struct node *new_node(int value)
{
	struct node *node = malloc(sizeof *node);

	node->value = value;
	node->next = NULL;
	return node;
}

int main(void)
{
	struct node *tail = head = new_node(0);

	for (int i = 1; i < 30; i++) {
		tail->next = new_node(i);
		tail = tail->next;
	}
	printf("%d nodes\n", list_len(head));
	return 0;
}
