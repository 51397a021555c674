// rights - the names of rights in plain language, grouped by what somebody would want to do with them.
//
// The names on the left are the contract's (docs/contract/access_who_can.json); what each allows: MS-ADTS 5.1.3.2 and 5.1.3.3.

export interface RightChoice {
    right: string;
    label: string;
}
export interface RightGroup {
    title: string;
    choices: RightChoice[];
}

export const PLAIN_GROUPS: RightGroup[] = [
    {
        title: "Take over an account",
        choices: [
            { right: "CONTROL_ACCESS:User-Force-Change-Password", label: "Reset the password" },
            { right: "WRITE_PROPERTY:msDS-KeyCredentialLink", label: "Add a sign-in key (shadow credentials)" },
            { right: "WRITE_PROPERTY:servicePrincipalName", label: "Set service principal names" },
            { right: "WRITE_PROPERTY:userAccountControl", label: "Enable, disable or change the account's flags" },
            { right: "WRITE_PROPERTY:msDS-AllowedToActOnBehalfOfOtherIdentity", label: "Let others act as its users (delegation)" },
        ],
    },
    {
        title: "Change a group",
        choices: [
            { right: "WRITE_PROPERTY:member", label: "Change members" },
            { right: "SELF:Self-Membership", label: "Add or remove itself" },
        ],
    },
    {
        title: "Change permissions",
        choices: [
            { right: "WRITE_DAC", label: "Change the permissions" },
            { right: "WRITE_OWNER", label: "Take ownership" },
        ],
    },
    {
        title: "Create, delete, move",
        choices: [
            { right: "CREATE_CHILD", label: "Create objects below it" },
            { right: "CREATE_CHILD:user", label: "Create users below it" },
            { right: "CREATE_CHILD:computer", label: "Create computers below it" },
            { right: "DELETE_CHILD", label: "Delete objects below it" },
            { right: "DELETE", label: "Delete it" },
            { right: "DELETE_TREE", label: "Delete it with all below" },
            { right: "WRITE_PROPERTY:gPLink", label: "Link group policies" },
        ],
    },
    {
        title: "Copy the directory's secrets",
        choices: [
            { right: "CONTROL_ACCESS:DS-Replication-Get-Changes-All", label: "Replicate all secrets (DCSync)" },
            { right: "CONTROL_ACCESS:DS-Replication-Get-Changes", label: "Replicate changes" },
        ],
    },
    {
        title: "Everything of a kind",
        choices: [
            { right: "WRITE_PROPERTY", label: "Write every attribute" },
            { right: "CONTROL_ACCESS", label: "Every extended right" },
            { right: "READ_PROPERTY", label: "Read every attribute" },
            { right: "READ_CONTROL", label: "Read the permissions" },
            { right: "LIST_OBJECT", label: "List the object" },
            { right: "LIST_CHILD_OBJECTS", label: "List what is below it" },
        ],
    },
];

const LABELS = new Map(PLAIN_GROUPS.flatMap((g) => g.choices.map((c) => [c.right.toLowerCase(), c.label] as const)));

/** "Change members" of WRITE_PROPERTY:member; undefined where there is no plain word. */
export const plainRight = (right: string): string | undefined => LABELS.get(right.toLowerCase());
