PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO alembic_version VALUES('0001');
CREATE TABLE account (
	id VARCHAR(32) NOT NULL, 
	code VARCHAR(32) NOT NULL, 
	name TEXT NOT NULL, 
	admin_email TEXT NOT NULL, 
	revision BIGINT NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_account PRIMARY KEY (id), 
	CONSTRAINT uq_account_code UNIQUE (code)
);
INSERT INTO account VALUES('01a21dcdfb2a739cb117f9a230568d6d','CMRB36950220','corp.test','admin@corp.test',15,1795796368170709);
CREATE TABLE alteration_definition (
	account_id VARCHAR(32) NOT NULL, 
	id VARCHAR(32) NOT NULL, 
	set_id VARCHAR(32) NOT NULL, 
	address_type VARCHAR(16) NOT NULL, 
	routing VARCHAR(16) NOT NULL, 
	original_local TEXT NOT NULL, 
	original_domain TEXT NOT NULL, 
	original_shown TEXT NOT NULL, 
	new_local TEXT NOT NULL, 
	new_domain TEXT NOT NULL, 
	new_shown TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_alteration_definition PRIMARY KEY (account_id, id), 
	CONSTRAINT fk_alteration_definition_account_id FOREIGN KEY(account_id) REFERENCES account (id), 
	CONSTRAINT uq_alteration_definition_rewrite UNIQUE (account_id, set_id, original_local, original_domain, new_local, new_domain, address_type, routing)
);
INSERT INTO alteration_definition VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcf1496719f84e57e85e2ce79b1','01a21dcf14347a4aad383dce4a411ade','envelope_to','all','old','corp.test','old@corp.test','ann','corp.test','ann@corp.test',1795796440167342);
CREATE TABLE alteration_set (
	account_id VARCHAR(32) NOT NULL, 
	id VARCHAR(32) NOT NULL, 
	parent_id VARCHAR(32), 
	name TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_alteration_set PRIMARY KEY (account_id, id), 
	CONSTRAINT fk_alteration_set_account_id_parent_id FOREIGN KEY(account_id, parent_id) REFERENCES alteration_set (account_id, id), 
	CONSTRAINT fk_alteration_set_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);
INSERT INTO alteration_set VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcf14347a4aad383dce4a411ade',NULL,'moves',1795796440107294);
CREATE TABLE application (
	account_id VARCHAR(32) NOT NULL, 
	id VARCHAR(32) NOT NULL, 
	name TEXT NOT NULL, 
	role VARCHAR(64) NOT NULL, 
	app_id VARCHAR(64) NOT NULL, 
	app_key BLOB NOT NULL, 
	client_id VARCHAR(64) NOT NULL, 
	client_secret VARCHAR(64) NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_application PRIMARY KEY (account_id, id), 
	CONSTRAINT fk_application_account_id FOREIGN KEY(account_id) REFERENCES account (id), 
	CONSTRAINT uq_application_app_id UNIQUE (app_id), 
	CONSTRAINT uq_application_client_id UNIQUE (client_id)
);
INSERT INTO application VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce01987dd4a6b9ae856a20bc2c','Default application','Super Administrator','5d31ca22-cee6-439a-ad10-a3ba1ec6a103',X'01dabd426379db3d8a19570ac2869449f51fc9712ae5a9d7c89b15695c7c02256b3272f8191dd2743368aa8e00ab44caed4991f3b2e4ffd1f869bc5d94b9ecbc9c','TvojOzSyp9UbQ1AIyRC2pcrLE1aOoTBr','5a6ae904214f66dcaf50bad465c6050a527ec916dd901d90ae76036896f34a95',1795796368170709);
CREATE TABLE attribute_type (
	account_id VARCHAR(32) NOT NULL, 
	id VARCHAR(32) NOT NULL, 
	name TEXT NOT NULL, 
	folded TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_attribute_type PRIMARY KEY (account_id, id), 
	CONSTRAINT fk_attribute_type_account_id FOREIGN KEY(account_id) REFERENCES account (id), 
	CONSTRAINT uq_attribute_type_account_id_folded UNIQUE (account_id, folded)
);
INSERT INTO attribute_type VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dced97178f2b00b4a0e49d57ea2','Desk','desk',1795796425030536);
CREATE TABLE audit_event (
	account_id VARCHAR(32) NOT NULL, 
	id VARCHAR(32) NOT NULL, 
	at BIGINT NOT NULL, 
	revision BIGINT NOT NULL, 
	actor TEXT NOT NULL, 
	acting_for TEXT NOT NULL, 
	source_ip VARCHAR(45) NOT NULL, 
	request_id TEXT NOT NULL, 
	action VARCHAR(64) NOT NULL, 
	object_kind VARCHAR(64) NOT NULL, 
	object_id VARCHAR(32) NOT NULL, 
	"before" TEXT, 
	"after" TEXT, 
	CONSTRAINT pk_audit_event PRIMARY KEY (account_id, id), 
	CONSTRAINT fk_audit_event_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce01b07637ac678e04faf85962',1795796368170709,1,'mailreeve init','','','','create','account','01a21dcdfb2a739cb117f9a230568d6d',NULL,'{"id":"01a21dcdfb2a739cb117f9a230568d6d","code":"CMRB36950220","name":"corp.test","admin_email":"admin@corp.test","created_at":"2026-11-27T16:19:28.170709Z"}');
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce01b076cf8b96732ad1b23156',1795796368170709,1,'mailreeve init','','','','create','domain','01a21dcdfb2f7e5a91b21a54096dd66d',NULL,'{"id":"01a21dcdfb2f7e5a91b21a54096dd66d","name":"corp.test","shown":"corp.test","inbound_type":"any","send_only":false,"created_at":"2026-11-27T16:19:28.170709Z"}');
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce01b076edae9df5f9614c6a8b',1795796368170709,1,'mailreeve init','','','','create','user','01a21dcdfb3172aca3295e33b41fc72e',NULL,'{"id":"01a21dcdfb3172aca3295e33b41fc72e","key":"abuse@corp.test","address":"abuse@corp.test","name":"Domain abuse address","role":null,"address_type":"created_manually","source":"cloud","locked":false,"disabled":false,"force_password_change":false,"password_never_expires":false,"allow_smtp":false,"allow_pop":false,"archive_start":null,"password_changed_at":null,"created_at":"2026-11-27T16:19:28.170709Z"}');
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce01b0770190bf2db203fe686d',1795796368170709,1,'mailreeve init','','','','create','user','01a21dcdfb4579228b5ce1b85de45f79',NULL,'{"id":"01a21dcdfb4579228b5ce1b85de45f79","key":"postmaster@corp.test","address":"postmaster@corp.test","name":"Domain postMaster address","role":null,"address_type":"created_manually","source":"cloud","locked":false,"disabled":false,"force_password_change":false,"password_never_expires":false,"allow_smtp":false,"allow_pop":false,"archive_start":null,"password_changed_at":null,"created_at":"2026-11-27T16:19:28.170709Z"}');
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce01b07714ae02f590ce9fc574',1795796368170709,1,'mailreeve init','','','','create','blocked sender policy','01a21dcdfb5a77dd83d436f1682407c8',NULL,'{"id":"01a21dcdfb5a77dd83d436f1682407c8","option":"block_sender","document":{"description":"Default: no open relay","from_":{"type":"external_addresses"},"to":{"type":"external_addresses"}},"immutable":true,"created_at":"2026-11-27T16:19:28.170709Z","updated_at":"2026-11-27T16:19:28.170709Z"}');
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce01b07728990447edb9ec260d',1795796368170709,1,'mailreeve init','','','','create','blocked sender policy','01a21dcdfb6970888f7d78f29cee8858',NULL,'{"id":"01a21dcdfb6970888f7d78f29cee8858","option":"no_action","document":{"description":"Default: relay exemptions","from_":{"type":"profile_group","key":"01a21dcdfb5a70c288ebe81c2ed6f89b"},"to":{"type":"everyone"}},"immutable":false,"created_at":"2026-11-27T16:19:28.170709Z","updated_at":"2026-11-27T16:19:28.170709Z"}');
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce01b0773ba33e91e5e36b78ec',1795796368170709,1,'mailreeve init','','','','create','blocked sender policy','01a21dcdfb6a7649a663cec49a2577e7',NULL,'{"id":"01a21dcdfb6a7649a663cec49a2577e7","option":"block_sender","document":{"description":"Default: blocked senders","from_":{"type":"profile_group","key":"01a21dcdfb4677b1bd4ff3d4dcc0f81d"},"to":{"type":"internal_addresses"}},"immutable":false,"created_at":"2026-11-27T16:19:28.170709Z","updated_at":"2026-11-27T16:19:28.170709Z"}');
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce01b0774eb021822cca987485',1795796368170709,1,'mailreeve init','','','','create','permitted sender policy','01a21dcdfb8674c19ed69b3867f9ea40',NULL,'{"id":"01a21dcdfb8674c19ed69b3867f9ea40","document":{"description":"Default: permitted senders","from_":{"type":"profile_group","key":"01a21dcdfb59778e869fdea5a65eebcb"},"to":{"type":"internal_addresses"}},"created_at":"2026-11-27T16:19:28.170709Z","updated_at":"2026-11-27T16:19:28.170709Z"}');
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce01b07765b7730522276732e4',1795796368170709,1,'mailreeve init','','','','create','user','01a21dce0197753ebd4d84f1b2a5822b',NULL,'{"id":"01a21dce0197753ebd4d84f1b2a5822b","key":"admin@corp.test","address":"admin@corp.test","name":"","role":"Super Administrator","address_type":"created_manually","source":"cloud","locked":false,"disabled":false,"force_password_change":false,"password_never_expires":false,"allow_smtp":false,"allow_pop":false,"archive_start":null,"password_changed_at":"2026-11-27T16:19:28.170709Z","created_at":"2026-11-27T16:19:28.170709Z"}');
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce01b077789b64d985eed6a976',1795796368170709,1,'mailreeve init','','','','create','application','01a21dce01987dd4a6b9ae856a20bc2c',NULL,'{"name":"Default application","role":"Super Administrator"}');
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce82ac7438a1bc727a72e13bf6',1795796402772129,2,'admin@corp.test','','127.0.0.1','3e02052d-c05a-4d1e-ab63-0d18e69c17e4','create','user','01a21dce82787f8eb244ca3543387003',NULL,'{"id":"01a21dce82787f8eb244ca3543387003","key":"ann@corp.test","address":"ann@corp.test","name":"Ann","role":null,"address_type":"created_manually","source":"cloud","locked":false,"disabled":false,"force_password_change":false,"password_never_expires":false,"allow_smtp":false,"allow_pop":false,"archive_start":null,"password_changed_at":null,"created_at":"2026-11-27T16:20:02.772129Z"}');
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce837a7a898bc31ad8e3ba6103',1795796402929897,3,'admin@corp.test','','127.0.0.1','ad8aa52f-bd1c-4df2-8a0d-8823aeb9ddff','create','user','01a21dce83787134b6df087b3efddad1',NULL,'{"id":"01a21dce83787134b6df087b3efddad1","key":"bob@corp.test","address":"bob@corp.test","name":"Bob","role":null,"address_type":"created_manually","source":"cloud","locked":false,"disabled":false,"force_password_change":false,"password_never_expires":false,"allow_smtp":false,"allow_pop":false,"archive_start":null,"password_changed_at":null,"created_at":"2026-11-27T16:20:02.929897Z"}');
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce83fe7ec7aeddfa6e2492007a',1795796403126564,4,'admin@corp.test','','127.0.0.1','bdd3465c-b8ef-4ffb-9bd0-b7c019afc21c','create','group','01a21dce83d774e1af1641f05bf02276',NULL,'{"id":"01a21dce83d774e1af1641f05bf02276","parent_id":null,"name":"Board","source":"cloud","system":false}');
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce84857cabad4acff691a4ad34',1795796403218587,5,'admin@corp.test','','127.0.0.1','68b9f443-4b74-4a80-b940-ab9481e1c33e','create','group member','01a21dce8436717b96081506df4b6aad',NULL,'{"id":"01a21dce8436717b96081506df4b6aad","group_id":"01a21dce83d774e1af1641f05bf02276","matched":"ann@corp.test","shown":"ann@corp.test","notes":""}');
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce852a76c0b00ba9985e38ba05',1795796403416560,6,'admin@corp.test','','127.0.0.1','638cbd8c-b85c-4e31-bf99-3ede5260b58c','create','blocked sender policy','01a21dce850577b3a513f81e0a50e707',NULL,'{"id":"01a21dce850577b3a513f81e0a50e707","option":"block_sender","document":{"description":"no offers","from_":{"type":"email_domain","key":"offers.test","shown":"offers.test"},"to":{"type":"profile_group","key":"01a21dce83d774e1af1641f05bf02276"}},"immutable":false,"created_at":"2026-11-27T16:20:03.416560Z","updated_at":"2026-11-27T16:20:03.416560Z"}');
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce85857903bee533c4ff9a782f',1795796403517162,7,'admin@corp.test','','127.0.0.1','2848a67a-a688-4015-abea-dc97e140892c','create','managed sender','01a21dce85757c9d9f267cc41a538dc4',NULL,'{"id":"01a21dce85757c9d9f267cc41a538dc4","recipient":"ann@corp.test","sender":"x@bad.test","sender_shown":"x@bad.test","action":"block","created_at":"2026-11-27T16:20:03.517162Z","updated_at":"2026-11-27T16:20:03.517162Z"}');
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce85c07295b54fc70a4731fc32',1795796403623124,8,'admin@corp.test','','127.0.0.1','f580c3b7-1c3c-4e05-b98e-9fa4c90b9e7f','create','managed sender','01a21dce85a97f58951a2a0303546bbc',NULL,'{"id":"01a21dce85a97f58951a2a0303546bbc","recipient":"ann@corp.test","sender":"y@good.test","sender_shown":"y@good.test","action":"permit","created_at":"2026-11-27T16:20:03.623124Z","updated_at":"2026-11-27T16:20:03.623124Z"}');
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dced97d72eaac7f54c9ed01eeff',1795796425030536,9,'admin@corp.test','','127.0.0.1','c18bc367-df1b-4248-9dea-90e88907e29b','create','attribute','01a21dced97178f2b00b4a0e49d57ea2',NULL,'{"id":"01a21dced97178f2b00b4a0e49d57ea2","name":"Desk"}');
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dced97d736087fc5bc157bbb1c8',1795796425030536,9,'admin@corp.test','','127.0.0.1','c18bc367-df1b-4248-9dea-90e88907e29b','update-attributes','user','01a21dce82787f8eb244ca3543387003','{"address":"ann@corp.test","values":[]}','{"address":"ann@corp.test","values":[{"type_id":"01a21dced97178f2b00b4a0e49d57ea2","name":"Desk","value":"4711"}]}');
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dced9b57537a4f58e9f46087371',1795796425112385,10,'admin@corp.test','','127.0.0.1','92ccd814-90ea-4a7e-ae66-eb0b161c593c','create','delegate right','01a21dced9b3732593f4c143a47dd749',NULL,'{"id":"01a21dced9b3732593f4c143a47dd749","holder_id":"01a21dce82787f8eb244ca3543387003","holder":"ann@corp.test","mailbox_id":"01a21dce83787134b6df087b3efddad1","mailbox":"bob@corp.test","mailbox_name":"Bob","mailbox_source":"cloud"}');
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcf139870d08a4df479baa2c7c4',1795796439917292,11,'admin@corp.test','','127.0.0.1','68667437-6de2-4d53-835d-7bbcd23262f7','add-alias','user','01a21dce82787f8eb244ca3543387003',NULL,'{"key":"a.nn@corp.test","user_id":"01a21dce82787f8eb244ca3543387003","shown":"a.nn@corp.test","domain":"corp.test","alias":true,"name":"Ann","address_type":"created_manually","source":"cloud"}');
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcf13e67387908fecc57c608223',1795796440010315,12,'admin@corp.test','','127.0.0.1','283697c3-97ba-4090-8602-520b80743952','create','web policy','01a21dcf13cc7ab1ace997936568bd91',NULL,'{"id":"01a21dcf13cc7ab1ace997936568bd91","description":"sites","targets":[{"id":"01a21dcf13cc75bbb01ff74719084ebd","document":{"description":"all","from_":{"type":"everyone"},"to":{"type":"everyone"}},"created_at":"2026-11-27T16:20:40.010315Z","updated_at":"2026-11-27T16:20:40.010315Z"}],"entries":[{"id":"01a21dcf13cc7986bd31b168871186b5","action":"block","type":"domain","value":"games.test","shown":"games.test"},{"id":"01a21dcf13cc79cc985b7773332dbf94","action":"allow","type":"url","value":"ok.games.test/x","shown":"ok.games.test/x"}],"created_at":"2026-11-27T16:20:40.010315Z","updated_at":"2026-11-27T16:20:40.010315Z"}');
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcf14407cc497faa6dce79bc224',1795796440107294,13,'admin@corp.test','','127.0.0.1','06674bef-eac1-4967-abc3-05824b0afec1','create','address alteration set','01a21dcf14347a4aad383dce4a411ade',NULL,'{"id":"01a21dcf14347a4aad383dce4a411ade","parent_id":null,"name":"moves"}');
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcf14aa7f85a74f5fd851f24746',1795796440167342,14,'admin@corp.test','','127.0.0.1','d462457d-8146-4548-920a-fea2bdb0a984','create','address alteration definition','01a21dcf1496719f84e57e85e2ce79b1',NULL,'{"id":"01a21dcf1496719f84e57e85e2ce79b1","set_id":"01a21dcf14347a4aad383dce4a411ade","rewrite":{"address_type":"envelope_to","routing":"all","original":{"local":"old","domain":"corp.test"},"new":{"local":"ann","domain":"corp.test"}},"original_shown":"old@corp.test","new_shown":"ann@corp.test"}');
INSERT INTO audit_event VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcf14d5765eaab25536a8f054cc',1795796440264886,15,'admin@corp.test','','127.0.0.1','c595ee59-84fb-4632-9c95-a6a34d47522f','create','address alteration policy','01a21dcf14c97c18aa2684b8d215de6c',NULL,'{"id":"01a21dcf14c97c18aa2684b8d215de6c","set_id":"01a21dcf14347a4aad383dce4a411ade","document":{"description":"moves","from_":{"type":"everyone"},"to":{"type":"everyone"}},"created_at":"2026-11-27T16:20:40.264886Z","updated_at":"2026-11-27T16:20:40.264886Z"}');
CREATE TABLE blocked_sender_policy (
	account_id VARCHAR(32) NOT NULL, 
	id VARCHAR(32) NOT NULL, 
	option VARCHAR(16) NOT NULL, 
	document TEXT NOT NULL, 
	immutable BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT pk_blocked_sender_policy PRIMARY KEY (account_id, id), 
	CONSTRAINT fk_blocked_sender_policy_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);
INSERT INTO blocked_sender_policy VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcdfb5a77dd83d436f1682407c8','block_sender','{"description":"Default: no open relay","from_":{"type":"external_addresses"},"to":{"type":"external_addresses"}}',1,1795796368170709,1795796368170709);
INSERT INTO blocked_sender_policy VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcdfb6970888f7d78f29cee8858','no_action','{"description":"Default: relay exemptions","from_":{"type":"profile_group","key":"01a21dcdfb5a70c288ebe81c2ed6f89b"},"to":{"type":"everyone"}}',0,1795796368170709,1795796368170709);
INSERT INTO blocked_sender_policy VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcdfb6a7649a663cec49a2577e7','block_sender','{"description":"Default: blocked senders","from_":{"type":"profile_group","key":"01a21dcdfb4677b1bd4ff3d4dcc0f81d"},"to":{"type":"internal_addresses"}}',0,1795796368170709,1795796368170709);
INSERT INTO blocked_sender_policy VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce850577b3a513f81e0a50e707','block_sender','{"description":"no offers","from_":{"type":"email_domain","key":"offers.test","shown":"offers.test"},"to":{"type":"profile_group","key":"01a21dce83d774e1af1641f05bf02276"}}',0,1795796403416560,1795796403416560);
CREATE TABLE directory_group (
	account_id VARCHAR(32) NOT NULL, 
	id VARCHAR(32) NOT NULL, 
	parent_id VARCHAR(32), 
	name TEXT NOT NULL, 
	source VARCHAR(16) NOT NULL, 
	system BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_directory_group PRIMARY KEY (account_id, id), 
	CONSTRAINT fk_directory_group_account_id_parent_id FOREIGN KEY(account_id, parent_id) REFERENCES directory_group (account_id, id), 
	CONSTRAINT fk_directory_group_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);
INSERT INTO directory_group VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcdfb4677b1bd4ff3d4dcc0f81d',NULL,'Blocked Senders','cloud',1,1795796368170709);
INSERT INTO directory_group VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcdfb59778e869fdea5a65eebcb',NULL,'Permitted Senders','cloud',1,1795796368170709);
INSERT INTO directory_group VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcdfb5a70c288ebe81c2ed6f89b',NULL,'Relay exemptions','cloud',1,1795796368170709);
INSERT INTO directory_group VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce83d774e1af1641f05bf02276',NULL,'Board','cloud',0,1795796403126564);
CREATE TABLE domain (
	account_id VARCHAR(32) NOT NULL, 
	id VARCHAR(32) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	shown VARCHAR(255) NOT NULL, 
	inbound_type VARCHAR(16) NOT NULL, 
	send_only BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_domain PRIMARY KEY (account_id, id), 
	CONSTRAINT fk_domain_account_id FOREIGN KEY(account_id) REFERENCES account (id), 
	CONSTRAINT uq_domain_name UNIQUE (name)
);
INSERT INTO domain VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcdfb2f7e5a91b21a54096dd66d','corp.test','corp.test','any',0,1795796368170709);
CREATE TABLE managed_sender (
	account_id VARCHAR(32) NOT NULL, 
	id VARCHAR(32) NOT NULL, 
	recipient TEXT NOT NULL, 
	sender TEXT NOT NULL, 
	sender_shown TEXT NOT NULL, 
	action VARCHAR(8) NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT pk_managed_sender PRIMARY KEY (account_id, id), 
	CONSTRAINT fk_managed_sender_account_id FOREIGN KEY(account_id) REFERENCES account (id), 
	CONSTRAINT uq_managed_sender_account_id_recipient_sender UNIQUE (account_id, recipient, sender)
);
INSERT INTO managed_sender VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce85757c9d9f267cc41a538dc4','ann@corp.test','x@bad.test','x@bad.test','block',1795796403517162,1795796403517162);
INSERT INTO managed_sender VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce85a97f58951a2a0303546bbc','ann@corp.test','y@good.test','y@good.test','permit',1795796403623124,1795796403623124);
CREATE TABLE message_outcome (
	account_id VARCHAR(32) NOT NULL, 
	id VARCHAR(32) NOT NULL, 
	at BIGINT NOT NULL, 
	decision_id VARCHAR(32) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	sender TEXT NOT NULL, 
	recipient TEXT NOT NULL, 
	document TEXT NOT NULL, 
	CONSTRAINT pk_message_outcome PRIMARY KEY (account_id, id), 
	CONSTRAINT fk_message_outcome_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);
INSERT INTO message_outcome VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcf151e7509b6bd83ca97848bb3',1795796440338227,'7atyonamuh2slo4h','rejected','x@bad.test','ann@corp.test','{"account_id":"01a21dcdfb2a739cb117f9a230568d6d","decision_id":"7atyonamuh2slo4h","at":1795796440.3382273,"source_ip":"127.0.0.1","sender":"x@bad.test","effective_sender":"x@bad.test","recipient":"ann@corp.test","effective_recipient":"ann@corp.test","header_from":null,"subject":"","message_id":"","size":0,"state":"rejected","stage":"rcpt","layer":"managed_senders","reply":"550 5.7.1 Envelope blocked - User Entry [7atyonamuh2slo4h]","policy_id":"01a21dce85757c9d9f267cc41a538dc4","description":"personal block of x@bad.test by ann@corp.test","revision":15,"spam_checks":"run","alterations":[]}');
INSERT INTO message_outcome VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcf15637f859f9dd331d649bc9a',1795796440383219,'n47rnazujvvmbbqg','delivered','y@good.test','ann@corp.test','{"account_id":"01a21dcdfb2a739cb117f9a230568d6d","decision_id":"n47rnazujvvmbbqg","at":1795796440.383219,"source_ip":"127.0.0.1","sender":"y@good.test","effective_sender":"y@good.test","recipient":"ann@corp.test","effective_recipient":"ann@corp.test","header_from":[{"address":{"local":"y","domain":"good.test","key":"y@good.test"},"display_name":""}],"subject":"hi","message_id":"","size":37,"state":"delivered","stage":null,"layer":"managed_senders","reply":"250 2.0.0 Delivered [n47rnazujvvmbbqg]","policy_id":"01a21dce85a97f58951a2a0303546bbc","description":"personal permit of y@good.test by ann@corp.test","revision":15,"spam_checks":"skip","alterations":[]}');
INSERT INTO message_outcome VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcf1572759898af536969b34d0e',1795796440427367,'soadjvajeswyrher','rejected','z@offers.test','ann@corp.test','{"account_id":"01a21dcdfb2a739cb117f9a230568d6d","decision_id":"soadjvajeswyrher","at":1795796440.4273667,"source_ip":"127.0.0.1","sender":"z@offers.test","effective_sender":"z@offers.test","recipient":"ann@corp.test","effective_recipient":"ann@corp.test","header_from":null,"subject":"","message_id":"","size":0,"state":"rejected","stage":"rcpt","layer":"blocked_senders","reply":"550 5.7.1 Envelope rejected - block policy for envelope from address [soadjvajeswyrher]","policy_id":"01a21dce850577b3a513f81e0a50e707","description":"no offers","revision":15,"spam_checks":"run","alterations":[]}');
INSERT INTO message_outcome VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcf159b74a29c7ee17264db7c0e',1795796440455363,'3zzqllrkzxx5rqyu','delivered','n@out.test','bob@corp.test','{"account_id":"01a21dcdfb2a739cb117f9a230568d6d","decision_id":"3zzqllrkzxx5rqyu","at":1795796440.4553633,"source_ip":"127.0.0.1","sender":"n@out.test","effective_sender":"n@out.test","recipient":"bob@corp.test","effective_recipient":"bob@corp.test","header_from":[{"address":{"local":"n","domain":"out.test","key":"n@out.test"},"display_name":""}],"subject":"hi","message_id":"","size":36,"state":"delivered","stage":null,"layer":"default","reply":"250 2.0.0 Delivered [3zzqllrkzxx5rqyu]","policy_id":"","description":"","revision":15,"spam_checks":"run","alterations":[]}');
INSERT INTO message_outcome VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcf15e47591b1e6b61f89097f89',1795796440499063,'xhqyet6ix3fbef6a','delivered','n@out.test','old@corp.test','{"account_id":"01a21dcdfb2a739cb117f9a230568d6d","decision_id":"xhqyet6ix3fbef6a","at":1795796440.499063,"source_ip":"127.0.0.1","sender":"n@out.test","effective_sender":"n@out.test","recipient":"old@corp.test","effective_recipient":"ann@corp.test","header_from":[{"address":{"local":"n","domain":"out.test","key":"n@out.test"},"display_name":""}],"subject":"hi","message_id":"","size":36,"state":"delivered","stage":null,"layer":"default","reply":"250 2.0.0 Delivered [xhqyet6ix3fbef6a]","policy_id":"","description":"","revision":15,"spam_checks":"run","alterations":[{"definition_id":"01a21dcf1496719f84e57e85e2ce79b1","set_id":"01a21dcf14347a4aad383dce4a411ade","field":"envelope_to","original":"old@corp.test","new":"ann@corp.test"}]}');
CREATE TABLE permitted_sender_policy (
	account_id VARCHAR(32) NOT NULL, 
	id VARCHAR(32) NOT NULL, 
	document TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT pk_permitted_sender_policy PRIMARY KEY (account_id, id), 
	CONSTRAINT fk_permitted_sender_policy_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);
INSERT INTO permitted_sender_policy VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcdfb8674c19ed69b3867f9ea40','{"description":"Default: permitted senders","from_":{"type":"profile_group","key":"01a21dcdfb59778e869fdea5a65eebcb"},"to":{"type":"internal_addresses"}}',1795796368170709,1795796368170709);
CREATE TABLE user (
	account_id VARCHAR(32) NOT NULL, 
	id VARCHAR(32) NOT NULL, 
	"key" TEXT NOT NULL, 
	address TEXT NOT NULL, 
	name TEXT NOT NULL, 
	role VARCHAR(64), 
	address_type VARCHAR(32) NOT NULL, 
	source VARCHAR(16) NOT NULL, 
	locked BOOLEAN NOT NULL, 
	disabled BOOLEAN NOT NULL, 
	force_password_change BOOLEAN NOT NULL, 
	password_never_expires BOOLEAN NOT NULL, 
	allow_smtp BOOLEAN NOT NULL, 
	allow_pop BOOLEAN NOT NULL, 
	archive_start BIGINT, 
	password_hash TEXT, 
	password_changed_at BIGINT, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT pk_user PRIMARY KEY (account_id, id), 
	CONSTRAINT fk_user_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);
INSERT INTO user VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcdfb3172aca3295e33b41fc72e','abuse@corp.test','abuse@corp.test','Domain abuse address',NULL,'created_manually','cloud',0,0,0,0,0,0,NULL,NULL,NULL,1795796368170709,1795796368170709);
INSERT INTO user VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcdfb4579228b5ce1b85de45f79','postmaster@corp.test','postmaster@corp.test','Domain postMaster address',NULL,'created_manually','cloud',0,0,0,0,0,0,NULL,NULL,NULL,1795796368170709,1795796368170709);
INSERT INTO user VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce0197753ebd4d84f1b2a5822b','admin@corp.test','admin@corp.test','','Super Administrator','created_manually','cloud',0,0,0,0,0,0,NULL,'$argon2id$v=19$m=65536,t=3,p=4$NjT4pCaiyfutc4iHPfbRgw$gV+H5Kl+4szA0SOWEeqWcDGB5qF1gUjQ33m0L+p84WE',1795796368170709,1795796368170709,1795796368170709);
INSERT INTO user VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce82787f8eb244ca3543387003','ann@corp.test','ann@corp.test','Ann',NULL,'created_manually','cloud',0,0,0,0,0,0,NULL,NULL,NULL,1795796402772129,1795796402772129);
INSERT INTO user VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce83787134b6df087b3efddad1','bob@corp.test','bob@corp.test','Bob',NULL,'created_manually','cloud',0,0,0,0,0,0,NULL,NULL,NULL,1795796402929897,1795796402929897);
CREATE TABLE web_policy (
	account_id VARCHAR(32) NOT NULL, 
	id VARCHAR(32) NOT NULL, 
	description TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT pk_web_policy PRIMARY KEY (account_id, id), 
	CONSTRAINT fk_web_policy_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);
INSERT INTO web_policy VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcf13cc7ab1ace997936568bd91','sites',1795796440010315,1795796440010315);
CREATE TABLE alteration_policy (
	account_id VARCHAR(32) NOT NULL, 
	id VARCHAR(32) NOT NULL, 
	set_id VARCHAR(32) NOT NULL, 
	document TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT pk_alteration_policy PRIMARY KEY (account_id, id), 
	CONSTRAINT fk_alteration_policy_account_id_set_id FOREIGN KEY(account_id, set_id) REFERENCES alteration_set (account_id, id), 
	CONSTRAINT fk_alteration_policy_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);
INSERT INTO alteration_policy VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcf14c97c18aa2684b8d215de6c','01a21dcf14347a4aad383dce4a411ade','{"description":"moves","from_":{"type":"everyone"},"to":{"type":"everyone"}}',1795796440264886,1795796440264886);
CREATE TABLE attribute_value (
	account_id VARCHAR(32) NOT NULL, 
	user_id VARCHAR(32) NOT NULL, 
	type_id VARCHAR(32) NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_attribute_value PRIMARY KEY (account_id, user_id, type_id), 
	CONSTRAINT fk_attribute_value_account_id_type_id FOREIGN KEY(account_id, type_id) REFERENCES attribute_type (account_id, id), 
	CONSTRAINT fk_attribute_value_account_id_user_id FOREIGN KEY(account_id, user_id) REFERENCES user (account_id, id), 
	CONSTRAINT fk_attribute_value_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);
INSERT INTO attribute_value VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce82787f8eb244ca3543387003','01a21dced97178f2b00b4a0e49d57ea2','4711');
CREATE TABLE binding (
	account_id VARCHAR(32) NOT NULL, 
	id VARCHAR(32) NOT NULL, 
	application_id VARCHAR(32) NOT NULL, 
	user_id VARCHAR(32) NOT NULL, 
	access_key VARCHAR(255) NOT NULL, 
	secret_key BLOB NOT NULL, 
	created_at BIGINT NOT NULL, 
	expires_at BIGINT, 
	CONSTRAINT pk_binding PRIMARY KEY (account_id, id), 
	CONSTRAINT fk_binding_account_id_application_id FOREIGN KEY(account_id, application_id) REFERENCES application (account_id, id), 
	CONSTRAINT fk_binding_account_id_user_id FOREIGN KEY(account_id, user_id) REFERENCES user (account_id, id), 
	CONSTRAINT fk_binding_account_id FOREIGN KEY(account_id) REFERENCES account (id), 
	CONSTRAINT uq_binding_access_key UNIQUE (access_key)
);
INSERT INTO binding VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce01997d7b9f6bb612c1dd8669','01a21dce01987dd4a6b9ae856a20bc2c','01a21dce0197753ebd4d84f1b2a5822b','0qTNjoU7YWDih_6mrm9WLFebXOU5uwlzatUsRbIDCe6G8mMW3exRFf0YMNvMoUUch0Dtvac53s7mvM1CIamAoUuw-Jqyvg-fOEim8WACU0rXKSOzt7cc9PupMpCrXvafdKhFnrbXqNkkr1cwtHjIYYsf9FF5S-SB',X'0146cba579631c140dde665da378e435afd63d273caa678b06ff77f28f29297c544eac094495e8d03eb3fdeede5faefd11b63ec30e33ed3146c5971b19ddd3a9c852e0f4c69da0b1efc0bd2069cab2bd1c0301569fe72cff8e46a36294',1795796368170709,NULL);
CREATE TABLE delegate_right (
	account_id VARCHAR(32) NOT NULL, 
	id VARCHAR(32) NOT NULL, 
	holder_id VARCHAR(32) NOT NULL, 
	mailbox_id VARCHAR(32) NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_delegate_right PRIMARY KEY (account_id, id), 
	CONSTRAINT fk_delegate_right_account_id_holder_id FOREIGN KEY(account_id, holder_id) REFERENCES user (account_id, id), 
	CONSTRAINT fk_delegate_right_account_id_mailbox_id FOREIGN KEY(account_id, mailbox_id) REFERENCES user (account_id, id), 
	CONSTRAINT fk_delegate_right_account_id FOREIGN KEY(account_id) REFERENCES account (id), 
	CONSTRAINT uq_delegate_right_account_id_holder_id_mailbox_id UNIQUE (account_id, holder_id, mailbox_id)
);
INSERT INTO delegate_right VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dced9b3732593f4c143a47dd749','01a21dce82787f8eb244ca3543387003','01a21dce83787134b6df087b3efddad1',1795796425112385);
CREATE TABLE directory_group_member (
	account_id VARCHAR(32) NOT NULL, 
	id VARCHAR(32) NOT NULL, 
	group_id VARCHAR(32) NOT NULL, 
	matched TEXT NOT NULL, 
	shown TEXT NOT NULL, 
	notes TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_directory_group_member PRIMARY KEY (account_id, id), 
	CONSTRAINT fk_directory_group_member_account_id_group_id FOREIGN KEY(account_id, group_id) REFERENCES directory_group (account_id, id), 
	CONSTRAINT fk_directory_group_member_account_id FOREIGN KEY(account_id) REFERENCES account (id), 
	CONSTRAINT uq_directory_group_member_account_id_group_id_matched UNIQUE (account_id, group_id, matched)
);
INSERT INTO directory_group_member VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce8436717b96081506df4b6aad','01a21dce83d774e1af1641f05bf02276','ann@corp.test','ann@corp.test','',1795796403218587);
CREATE TABLE directory_group_use (
	account_id VARCHAR(32) NOT NULL, 
	policy_id VARCHAR(32) NOT NULL, 
	group_id VARCHAR(32) NOT NULL, 
	CONSTRAINT pk_directory_group_use PRIMARY KEY (account_id, policy_id, group_id), 
	CONSTRAINT fk_directory_group_use_account_id_group_id FOREIGN KEY(account_id, group_id) REFERENCES directory_group (account_id, id), 
	CONSTRAINT fk_directory_group_use_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);
INSERT INTO directory_group_use VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcdfb6970888f7d78f29cee8858','01a21dcdfb5a70c288ebe81c2ed6f89b');
INSERT INTO directory_group_use VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcdfb6a7649a663cec49a2577e7','01a21dcdfb4677b1bd4ff3d4dcc0f81d');
INSERT INTO directory_group_use VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcdfb8674c19ed69b3867f9ea40','01a21dcdfb59778e869fdea5a65eebcb');
INSERT INTO directory_group_use VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dce850577b3a513f81e0a50e707','01a21dce83d774e1af1641f05bf02276');
CREATE TABLE user_address (
	account_id VARCHAR(32) NOT NULL, 
	"key" TEXT NOT NULL, 
	user_id VARCHAR(32) NOT NULL, 
	shown TEXT NOT NULL, 
	domain VARCHAR(255) NOT NULL, 
	alias BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT pk_user_address PRIMARY KEY (account_id, "key"), 
	CONSTRAINT fk_user_address_account_id_user_id FOREIGN KEY(account_id, user_id) REFERENCES user (account_id, id), 
	CONSTRAINT fk_user_address_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);
INSERT INTO user_address VALUES('01a21dcdfb2a739cb117f9a230568d6d','abuse@corp.test','01a21dcdfb3172aca3295e33b41fc72e','abuse@corp.test','corp.test',0,1795796368170709);
INSERT INTO user_address VALUES('01a21dcdfb2a739cb117f9a230568d6d','postmaster@corp.test','01a21dcdfb4579228b5ce1b85de45f79','postmaster@corp.test','corp.test',0,1795796368170709);
INSERT INTO user_address VALUES('01a21dcdfb2a739cb117f9a230568d6d','admin@corp.test','01a21dce0197753ebd4d84f1b2a5822b','admin@corp.test','corp.test',0,1795796368170709);
INSERT INTO user_address VALUES('01a21dcdfb2a739cb117f9a230568d6d','ann@corp.test','01a21dce82787f8eb244ca3543387003','ann@corp.test','corp.test',0,1795796402772129);
INSERT INTO user_address VALUES('01a21dcdfb2a739cb117f9a230568d6d','bob@corp.test','01a21dce83787134b6df087b3efddad1','bob@corp.test','corp.test',0,1795796402929897);
INSERT INTO user_address VALUES('01a21dcdfb2a739cb117f9a230568d6d','a.nn@corp.test','01a21dce82787f8eb244ca3543387003','a.nn@corp.test','corp.test',1,1795796439917292);
CREATE TABLE web_entry (
	account_id VARCHAR(32) NOT NULL, 
	id VARCHAR(32) NOT NULL, 
	policy_id VARCHAR(32) NOT NULL, 
	position INTEGER NOT NULL, 
	action VARCHAR(16) NOT NULL, 
	type VARCHAR(16) NOT NULL, 
	value TEXT NOT NULL, 
	shown TEXT NOT NULL, 
	CONSTRAINT pk_web_entry PRIMARY KEY (account_id, id), 
	CONSTRAINT fk_web_entry_account_id_policy_id FOREIGN KEY(account_id, policy_id) REFERENCES web_policy (account_id, id), 
	CONSTRAINT fk_web_entry_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);
INSERT INTO web_entry VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcf13cc7986bd31b168871186b5','01a21dcf13cc7ab1ace997936568bd91',0,'block','domain','games.test','games.test');
INSERT INTO web_entry VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcf13cc79cc985b7773332dbf94','01a21dcf13cc7ab1ace997936568bd91',1,'allow','url','ok.games.test/x','ok.games.test/x');
CREATE TABLE web_target (
	account_id VARCHAR(32) NOT NULL, 
	id VARCHAR(32) NOT NULL, 
	policy_id VARCHAR(32) NOT NULL, 
	position INTEGER NOT NULL, 
	document TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	CONSTRAINT pk_web_target PRIMARY KEY (account_id, id), 
	CONSTRAINT fk_web_target_account_id_policy_id FOREIGN KEY(account_id, policy_id) REFERENCES web_policy (account_id, id), 
	CONSTRAINT fk_web_target_account_id FOREIGN KEY(account_id) REFERENCES account (id)
);
INSERT INTO web_target VALUES('01a21dcdfb2a739cb117f9a230568d6d','01a21dcf13cc75bbb01ff74719084ebd','01a21dcf13cc7ab1ace997936568bd91',0,'{"description":"all","from_":{"type":"everyone"},"to":{"type":"everyone"}}',1795796440010315,1795796440010315);
CREATE INDEX ix_directory_group_account_id_parent_id ON directory_group (account_id, parent_id);
CREATE INDEX ix_message_outcome_account_id_at ON message_outcome (account_id, at);
CREATE INDEX ix_message_outcome_account_id_decision_id ON message_outcome (account_id, decision_id);
CREATE INDEX ix_delegate_right_account_id_mailbox_id ON delegate_right (account_id, mailbox_id);
CREATE INDEX ix_directory_group_member_account_id_matched ON directory_group_member (account_id, matched);
CREATE INDEX ix_directory_group_use_account_id_group_id ON directory_group_use (account_id, group_id);
CREATE INDEX ix_user_address_account_id_domain ON user_address (account_id, domain);
CREATE INDEX ix_user_address_account_id_user_id ON user_address (account_id, user_id);
CREATE INDEX ix_web_entry_account_id_policy_id ON web_entry (account_id, policy_id);
CREATE INDEX ix_web_target_account_id_policy_id ON web_target (account_id, policy_id);
COMMIT;
