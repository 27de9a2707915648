/** Names the places in Salesforce Setup where an administrator changes an app, for messages to operators. */
export const setupPage = 'in Salesforce Setup';
export const settingsPage = `${setupPage} (External Client App Manager › Settings; a Connected App: App Manager › Edit)`;
export const policiesPage = `${setupPage} (External Client App Manager › Policies; a Connected App: App Manager › Manage)`;
