/* All tests of logins in one file, so that a mutation run loads Express and the emulator once for each change. */
import '../middleware/address.test';
import '../strategy/strategy.test';
import '../middleware/login.test';
import '../middleware/callback.test';
import '../middleware/start-url.test';
import '../middleware/repeated-callback.test';
import '../middleware/cross-site-login.test';
import '../middleware/late-answers.test';
import '../middleware/login-failed.test';
import '../middleware/organizations.test';
import '../middleware/silent-login.test';
import '../middleware/silent-rounds.test';
import '../security/login.test';
import '../security/tenants.test';
import '../middleware/credentials-login.test';
import '../client-authentication/strategy.test';
