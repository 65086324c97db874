/* host_shell.c: see host_shell.h. */
#include "daemon/host_shell.h"

#include <stdio.h>
#include <string.h>

bool host_shell_report(struct host_shell *shell, const char *token, uint64_t life, bool may_recycle)
{
    if (token[0] == '\0' || strcmp(token, shell->known) == 0)
        return false;
    if (shell->known[0] == '\0') {
        (void)snprintf(shell->known, sizeof shell->known, "%s", token);
        return false;
    }
    if (shell->wanted[0] != '\0' || !may_recycle || life == 0)
        return false;
    (void)snprintf(shell->wanted, sizeof shell->wanted, "%s", token);
    shell->life = life;
    return true;
}

void host_shell_life_up(struct host_shell *shell, uint64_t life)
{
    if (shell->wanted[0] == '\0' || life <= shell->life)
        return;
    memcpy(shell->known, shell->wanted, sizeof shell->known);
    shell->wanted[0] = '\0';
}

/* Ids of lives grow. The end of the old one before the new one is up is no failure: the
 * one that is launched next loads the new shell all the same. */
void host_shell_life_down(struct host_shell *shell, uint64_t life)
{
    if (life > shell->life)
        shell->wanted[0] = '\0';
}
