BEGIN TRANSACTION;
CREATE TABLE fleet_account (
	scan TEXT NOT NULL,
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	ou TEXT NOT NULL,
	active BOOLEAN NOT NULL,
	PRIMARY KEY (scan, id),
	FOREIGN KEY(scan) REFERENCES fleet_scan (id)
);
INSERT INTO "fleet_account" VALUES('20261121T100000Z-0001','000000000001','orders','root',1);
CREATE TABLE fleet_coverage (
	scan TEXT NOT NULL,
	account TEXT NOT NULL,
	region TEXT NOT NULL,
	status TEXT NOT NULL,
	reason TEXT NOT NULL,
	functions INTEGER NOT NULL,
	versions INTEGER NOT NULL,
	calls INTEGER NOT NULL,
	throttles INTEGER NOT NULL,
	listed BOOLEAN NOT NULL,
	findings INTEGER NOT NULL,
	finding_functions INTEGER NOT NULL,
	PRIMARY KEY (scan, account, region),
	FOREIGN KEY(scan) REFERENCES fleet_scan (id)
);
INSERT INTO "fleet_coverage" VALUES('20261121T100000Z-0001','000000000001','eu-west-1','ok','',2,0,1,0,0,2,2);
CREATE TABLE fleet_function (
	scan TEXT NOT NULL,
	account TEXT NOT NULL,
	region TEXT NOT NULL,
	name TEXT NOT NULL,
	qualifier TEXT NOT NULL,
	use TEXT NOT NULL,
	runtime TEXT,
	latest_runtime TEXT,
	package_type TEXT NOT NULL,
	handler TEXT,
	architecture TEXT NOT NULL,
	code_size BIGINT NOT NULL,
	code_sha256 TEXT NOT NULL,
	last_modified TEXT,
	layers TEXT NOT NULL,
	aliases TEXT,
	callers TEXT,
	tags TEXT,
	owner_kind TEXT NOT NULL,
	owner_name TEXT NOT NULL,
	invocations BIGINT,
	signing_profile TEXT,
	PRIMARY KEY (scan, account, region, name, qualifier),
	FOREIGN KEY(scan, account, region) REFERENCES fleet_coverage (scan, account, region) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "fleet_function" VALUES('20261121T100000Z-0001','000000000001','eu-west-1','a','$LATEST','latest','go1.x','go1.x','Zip','main','x86_64',1,'q80=','2026-11-21T10:00:00+00:00','[]',NULL,NULL,NULL,'unknown','',NULL,NULL);
INSERT INTO "fleet_function" VALUES('20261121T100000Z-0001','000000000001','eu-west-1','b','$LATEST','latest','go1.x','go1.x','Zip','main','x86_64',1,'q80=','2026-11-21T10:00:00+00:00','[]',NULL,NULL,NULL,'unknown','',NULL,NULL);
CREATE TABLE fleet_hash_key (
	id INTEGER NOT NULL CHECK (id = 1),
	"key" BLOB NOT NULL,
	PRIMARY KEY (id)
);
INSERT INTO "fleet_hash_key" VALUES(1,X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F');
CREATE TABLE fleet_inspection (
	scan TEXT NOT NULL,
	account TEXT NOT NULL,
	region TEXT NOT NULL,
	name TEXT NOT NULL,
	qualifier TEXT NOT NULL,
	verdict TEXT NOT NULL,
	reasons TEXT NOT NULL,
	warnings TEXT NOT NULL,
	strategy TEXT,
	go_version TEXT NOT NULL,
	lambda_library TEXT NOT NULL,
	module TEXT NOT NULL,
	module_version TEXT NOT NULL,
	revision TEXT NOT NULL,
	modified BOOLEAN,
	PRIMARY KEY (scan, account, region, name, qualifier),
	FOREIGN KEY(scan, account, region, name, qualifier) REFERENCES fleet_function (scan, account, region, name, qualifier) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE TABLE fleet_ledger (
	number INTEGER NOT NULL,
	run TEXT NOT NULL,
	verb TEXT NOT NULL,
	partition TEXT NOT NULL,
	account TEXT NOT NULL,
	region TEXT NOT NULL,
	name TEXT NOT NULL,
	action TEXT NOT NULL,
	what TEXT NOT NULL,
	caller TEXT NOT NULL,
	began TEXT NOT NULL,
	ended TEXT,
	state TEXT NOT NULL,
	request_id TEXT NOT NULL,
	result TEXT NOT NULL,
	problem TEXT NOT NULL,
	alias_before TEXT,
	alias_after TEXT,
	deployment_before TEXT,
	deployment_after TEXT,
	PRIMARY KEY (number)
);
INSERT INTO "fleet_ledger" VALUES(1,'20261121T100000Z-0002','migrate','aws','000000000001','eu-west-1','orders','put alias','Point the alias live at version 2.','arn:aws:iam::000000000001:user/ada','2026-11-21T10:00:00+00:00','2026-11-21T10:00:02+00:00','done','r-1','','','{"name": "live", "version": "1", "weights": {}}','{"name": "live", "version": "2", "weights": {}}',NULL,NULL);
CREATE TABLE fleet_package (
	content TEXT NOT NULL,
	reading INTEGER NOT NULL,
	facts BLOB NOT NULL,
	PRIMARY KEY (content, reading)
);
CREATE TABLE fleet_scan (
	id TEXT NOT NULL,
	started TEXT NOT NULL,
	finished TEXT,
	state TEXT NOT NULL,
	caller TEXT NOT NULL,
	organization TEXT NOT NULL,
	partition TEXT NOT NULL,
	options TEXT NOT NULL,
	PRIMARY KEY (id)
);
INSERT INTO "fleet_scan" VALUES('20261121T100000Z-0001','2026-11-21T10:00:00+00:00',NULL,'running','000000000001','o-1','aws','{"runtimes":["go1.x"],"language":null,"latest_only":false,"callers":false,"traffic":false,"inspect":null,"organization":false,"accounts":null,"excluded_accounts":[],"ous":null,"tags":null,"regions":null,"excluded_regions":[],"role_name":"OrganizationAccountAccessRole"}');
CREATE TABLE fleet_schema (
	version INTEGER NOT NULL,
	PRIMARY KEY (version)
);
INSERT INTO "fleet_schema" VALUES(3);
CREATE INDEX fleet_ledger_function ON fleet_ledger (partition, account, region, name, number);
COMMIT;
