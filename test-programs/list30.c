/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Thirty nodes in a linked list, each appended by a function: the statement that makes the list longer is inside it. */
#include <stdio.h>
#include <stdlib.h>

struct node {
	int value;
	struct node *next;
};

static struct node *head, *tail;

int list_len(const struct node *list)
{
	int n = 0;

	for (; list != NULL; list = list->next)
		n++;
	return n;
}

static void insert(int value)
{
	struct node *node = malloc(sizeof *node);

	node->value = value;
	node->next = NULL;
	if (tail == NULL)
		head = node;
	else
		tail->next = node;
	tail = node;
}

int main(void)
{
	for (int i = 0; i < 30; i++)
		insert(i);
	printf("%d nodes\n", list_len(head));
	return 0;
}
