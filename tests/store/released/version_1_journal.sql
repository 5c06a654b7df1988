BEGIN TRANSACTION;
CREATE TABLE alarm (
	alarm_id VARCHAR(32) NOT NULL, 
	run_id VARCHAR(32) NOT NULL, 
	channel VARCHAR NOT NULL, 
	severity VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	message TEXT NOT NULL, 
	value FLOAT, 
	limit_value FLOAT, 
	unit VARCHAR NOT NULL, 
	raised_us BIGINT NOT NULL, 
	test_time_second FLOAT, 
	times INTEGER NOT NULL, 
	last_us BIGINT NOT NULL, 
	acknowledged_us BIGINT, 
	acknowledged_by VARCHAR NOT NULL, 
	acknowledge_reason TEXT NOT NULL, 
	PRIMARY KEY (alarm_id)
);
CREATE TABLE cell (
	cell_id VARCHAR(32) NOT NULL, 
	name VARCHAR NOT NULL, 
	chemistry VARCHAR, 
	area_square_centimetre FLOAT, 
	thickness_centimetre FLOAT, 
	mass_gram FLOAT, 
	capacity_ah FLOAT, 
	symmetric BOOLEAN, 
	meta JSON, 
	PRIMARY KEY (cell_id), 
	UNIQUE (name)
);
INSERT INTO "cell" VALUES('e359aa81b83643be9a2cfca727faf624','LPS-18',NULL,0.785,NULL,NULL,0.002,NULL,NULL);
CREATE TABLE cursor (
	run_id VARCHAR(32) NOT NULL, 
	cursor TEXT NOT NULL, 
	simulation TEXT, 
	PRIMARY KEY (run_id), 
	FOREIGN KEY(run_id) REFERENCES run (run_id)
);
INSERT INTO "cursor" VALUES('41152e3877424ac593f94c9ef375cac8','{"place": {"pc": 3, "step_count": 3, "cycle_count": 1, "cycle_open": true, "step_open": true, "loops": [[2, 1]], "step_began_second": 612.5800000000002, "suspended_second": 0.0, "step_seq_first": 8, "applied_second": 612.5800000000002, "spectrum_count": 1, "spectrum_part": 0, "chamber_celsius": null, "cycle": {"seq_first": 8, "charging_capacity_ah": 1.0166666666666683e-15, "discharging_capacity_ah": 8.168888888888899e-16, "charging_energy_wh": 2.9508550833333303e-15, "discharging_energy_wh": 2.371004148888889e-15}, "disturbed": false, "results": {}}, "progress": {"test_time_second": 4802.66, "seq": 43, "voltage_volt": 3.96312, "current_ampere": 0.000999997, "charging_capacity_ah": 0.0011638805470232671, "discharging_capacity_ah": 8.168888888888899e-16, "charging_energy_wh": 0.004376885783678758, "discharging_energy_wh": 2.371004148888889e-15, "step_capacity_ah": 0.0011638805470222506, "step_energy_wh": 0.004376885783675807, "recorded_second": 4693.66, "recorded_volt": 3.9472, "recorded_ampere": 0.001000002, "bad_readings": 0, "counted_second": 4802.66}, "soak": {"granted_second": null, "in_band_since_second": null, "probed_second": null, "probe_ohm": null, "probing": false}, "watch": {"kind": "", "since_second": null, "reference_second": null, "reference_celsius": null}, "suspension": {"since_second": null, "settled_second": null}, "halt": "", "reason": ""}','{"cells": {"P1": {"age_second": 0.0, "sample_celsius": null, "branch_volts": [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], "store": {}, "owed_coulomb": 0.0, "conflicts": 0}, "P2": {"age_second": 0.0, "sample_celsius": null, "branch_volts": [0.0, 0.0, 0.0, 0.0, 0.0], "store": {}, "owed_coulomb": 0.0, "conflicts": 0}, "C1": {"age_second": 4802.51, "sample_celsius": 23.657876791205762, "branch_volts": [0.013968398906699276, 0.008235054978923604, 0.005538484340544319, 0.005538484340544319, 0.005538484340544318, 0.008822220600775102, 0.0009802509762561384, 0.0010815157555470536], "store": {"state_of_charge": 0.5660357590815634, "cycles": 0, "discharged": 0.0, "charged": 0.5838357590815644}, "owed_coulomb": 0.0, "conflicts": 0}, "C2": {"age_second": 0.0, "sample_celsius": null, "branch_volts": [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], "store": {"state_of_charge": -0.0178, "cycles": 0, "discharged": 0.0, "charged": 0.0}, "owed_coulomb": 0.0, "conflicts": 0}}, "chambers": {"chamber-p": {"elapsed_second": 0.0, "mean_celsius": 22.095930695216698, "ripple_weight": 0.0, "ripple": {"point": 0, "kelvin": -0.06698174545446006}}, "chamber-c": {"elapsed_second": 4800.049999999999, "mean_celsius": 23.609069391282702, "ripple_weight": 0.0, "ripple": {"point": 80, "kelvin": -0.10239672921765296}}}}');
CREATE TABLE cycle (
	run_id VARCHAR(32) NOT NULL, 
	cycle_count INTEGER NOT NULL, 
	phase VARCHAR, 
	seq_first BIGINT NOT NULL, 
	seq_last BIGINT NOT NULL, 
	charging_capacity_ah FLOAT NOT NULL, 
	discharging_capacity_ah FLOAT NOT NULL, 
	charging_energy_wh FLOAT NOT NULL, 
	discharging_energy_wh FLOAT NOT NULL, 
	PRIMARY KEY (run_id, cycle_count)
);
CREATE TABLE event (
	event_id INTEGER NOT NULL, 
	run_id VARCHAR(32) NOT NULL, 
	ts_us BIGINT NOT NULL, 
	test_time_second FLOAT NOT NULL, 
	kind VARCHAR NOT NULL, 
	message TEXT NOT NULL, 
	PRIMARY KEY (event_id)
);
INSERT INTO "event" VALUES(1,'41152e3877424ac593f94c9ef375cac8',1795806988299647,0.0,'state','starting');
INSERT INTO "event" VALUES(2,'41152e3877424ac593f94c9ef375cac8',1795806988799647,5.00000000000000111022e-01,'database away','database postgresql+psycopg://nobody@127.0.0.1:1/none: connection failed: connection to server at "127.0.0.1", port 1 failed: Connection refused Is the server running on that host and accepting TCP/IP connections?; data wait in /tmp/v1data/journal.db');
INSERT INTO "event" VALUES(3,'41152e3877424ac593f94c9ef375cac8',1795806988449647,1.50000000000000022204e-01,'state','running');
CREATE TABLE feed (
	feed_id BIGINT NOT NULL, 
	journal_id VARCHAR(32) NOT NULL, 
	PRIMARY KEY (feed_id), 
	UNIQUE (journal_id)
);
CREATE TABLE forwarded (
	run_id VARCHAR(32) NOT NULL, 
	seq_next BIGINT NOT NULL, 
	ts_us BIGINT NOT NULL, 
	PRIMARY KEY (run_id)
);
CREATE TABLE impedance_point (
	run_id VARCHAR(32) NOT NULL, 
	spectrum_count INTEGER NOT NULL, 
	point_index INTEGER NOT NULL, 
	ts_us BIGINT NOT NULL, 
	frequency_hertz FLOAT NOT NULL, 
	real_impedance_ohm FLOAT, 
	imaginary_impedance_ohm FLOAT, 
	measured_real_impedance_ohm FLOAT, 
	measured_imaginary_impedance_ohm FLOAT, 
	repeated BOOLEAN NOT NULL, 
	flags INTEGER NOT NULL, 
	PRIMARY KEY (run_id, spectrum_count, point_index)
);
INSERT INTO "impedance_point" VALUES('41152e3877424ac593f94c9ef375cac8',1,0,1795807590589647,1000.0,26.266242,-4.394285,NULL,NULL,0,0);
INSERT INTO "impedance_point" VALUES('41152e3877424ac593f94c9ef375cac8',1,1,1795807590589647,316.228,28.134519,-3.185423,NULL,NULL,0,0);
INSERT INTO "impedance_point" VALUES('41152e3877424ac593f94c9ef375cac8',1,2,1795807590589647,100.0,29.870735,-4.610063,NULL,NULL,0,128);
INSERT INTO "impedance_point" VALUES('41152e3877424ac593f94c9ef375cac8',1,3,1795807590589647,31.622777,34.819252,-7.318168,NULL,NULL,0,0);
INSERT INTO "impedance_point" VALUES('41152e3877424ac593f94c9ef375cac8',1,4,1795807590589647,10.0,41.418966,-5.8192,NULL,NULL,0,0);
INSERT INTO "impedance_point" VALUES('41152e3877424ac593f94c9ef375cac8',1,5,1795807590589647,3.162278,44.133263,-3.628547,NULL,NULL,0,0);
INSERT INTO "impedance_point" VALUES('41152e3877424ac593f94c9ef375cac8',1,6,1795807594589647,1.0,44.844802,-4.366468,NULL,NULL,0,0);
INSERT INTO "impedance_point" VALUES('41152e3877424ac593f94c9ef375cac8',1,7,1795807596689647,10.0,41.652686,-5.784719,NULL,NULL,1,0);
INSERT INTO "impedance_point" VALUES('41152e3877424ac593f94c9ef375cac8',1,8,1795807596689647,3.162278,43.994259,-3.689486,NULL,NULL,1,0);
INSERT INTO "impedance_point" VALUES('41152e3877424ac593f94c9ef375cac8',1,9,1795807600689647,1.0,45.031648,-4.465529,NULL,NULL,1,0);
CREATE TABLE ingest_cursor (
	run_id VARCHAR(32) NOT NULL, 
	seq_next BIGINT NOT NULL, 
	PRIMARY KEY (run_id)
);
CREATE TABLE journal (
	journal_id INTEGER NOT NULL, 
	run_id VARCHAR(32) NOT NULL, 
	ts_us BIGINT NOT NULL, 
	verb VARCHAR NOT NULL, 
	argument VARCHAR DEFAULT '' NOT NULL, 
	who VARCHAR NOT NULL, 
	reason TEXT NOT NULL, 
	outcome VARCHAR, 
	answer TEXT, 
	answered_us BIGINT, 
	PRIMARY KEY (journal_id)
);
CREATE TABLE meta (
	"key" VARCHAR NOT NULL, 
	value VARCHAR, 
	PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('schema_version','1');
INSERT INTO "meta" VALUES('journal_id','382300315198461a9a158e2c326c2b69');
INSERT INTO "meta" VALUES('delivery_failure','database postgresql+psycopg://nobody@127.0.0.1:1/none: connection failed: connection to server at "127.0.0.1", port 1 failed: Connection refused Is the server running on that host and accepting TCP/IP connections?');
CREATE TABLE outbox (
	change_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	table_name VARCHAR NOT NULL, 
	"key" TEXT NOT NULL, 
	since_us BIGINT NOT NULL
);
INSERT INTO "outbox" VALUES(1,'rig','["b85519b7869848d5bc963a703add444e"]',1795806988014020);
INSERT INTO "outbox" VALUES(2,'cell','["e359aa81b83643be9a2cfca727faf624"]',1795806988016997);
INSERT INTO "outbox" VALUES(4,'event','[1]',1795806988043993);
INSERT INTO "outbox" VALUES(5,'event','[2]',1795806988043993);
INSERT INTO "outbox" VALUES(6,'event','[3]',1795806988043993);
INSERT INTO "outbox" VALUES(9,'run','["41152e3877424ac593f94c9ef375cac8"]',1795806988019009);
INSERT INTO "outbox" VALUES(530,'step','["41152e3877424ac593f94c9ef375cac8",1]',1795806988782996);
INSERT INTO "outbox" VALUES(532,'impedance_point','["41152e3877424ac593f94c9ef375cac8",1,0]',1795806988787984);
INSERT INTO "outbox" VALUES(533,'impedance_point','["41152e3877424ac593f94c9ef375cac8",1,1]',1795806988787984);
INSERT INTO "outbox" VALUES(534,'impedance_point','["41152e3877424ac593f94c9ef375cac8",1,2]',1795806988787984);
INSERT INTO "outbox" VALUES(535,'impedance_point','["41152e3877424ac593f94c9ef375cac8",1,3]',1795806988787984);
INSERT INTO "outbox" VALUES(536,'impedance_point','["41152e3877424ac593f94c9ef375cac8",1,4]',1795806988787984);
INSERT INTO "outbox" VALUES(537,'impedance_point','["41152e3877424ac593f94c9ef375cac8",1,5]',1795806988787984);
INSERT INTO "outbox" VALUES(540,'impedance_point','["41152e3877424ac593f94c9ef375cac8",1,6]',1795806988794019);
INSERT INTO "outbox" VALUES(542,'impedance_point','["41152e3877424ac593f94c9ef375cac8",1,7]',1795806988798003);
INSERT INTO "outbox" VALUES(543,'impedance_point','["41152e3877424ac593f94c9ef375cac8",1,8]',1795806988798003);
INSERT INTO "outbox" VALUES(546,'impedance_point','["41152e3877424ac593f94c9ef375cac8",1,9]',1795806988802991);
INSERT INTO "outbox" VALUES(548,'spectrum','["41152e3877424ac593f94c9ef375cac8",1]',1795806988786013);
INSERT INTO "outbox" VALUES(549,'step','["41152e3877424ac593f94c9ef375cac8",2]',1795806988807980);
INSERT INTO "outbox" VALUES(4737,'cursor','["41152e3877424ac593f94c9ef375cac8"]',1795806988044999);
CREATE TABLE resistance (
	run_id VARCHAR(32) NOT NULL, 
	step_count INTEGER NOT NULL, 
	cycle_count INTEGER NOT NULL, 
	phase VARCHAR, 
	tag VARCHAR, 
	name VARCHAR, 
	test_time_second FLOAT NOT NULL, 
	ts_us BIGINT NOT NULL, 
	resistance_ohm FLOAT, 
	voltage_volt FLOAT, 
	ambient_temperature_celsius FLOAT, 
	flags INTEGER NOT NULL, 
	PRIMARY KEY (run_id, step_count)
);
CREATE TABLE result (
	run_id VARCHAR(32) NOT NULL, 
	method VARCHAR NOT NULL, 
	version VARCHAR NOT NULL, 
	inputs_sha256 VARCHAR(64) NOT NULL, 
	created_us BIGINT NOT NULL, 
	"values" JSON NOT NULL, 
	flags JSON NOT NULL, 
	PRIMARY KEY (run_id, method, inputs_sha256)
);
CREATE TABLE rig (
	rig_id VARCHAR(32) NOT NULL, 
	name VARCHAR NOT NULL, 
	created_us BIGINT NOT NULL, 
	PRIMARY KEY (rig_id)
);
INSERT INTO "rig" VALUES('b85519b7869848d5bc963a703add444e','rig',1795806988014326);
CREATE TABLE run (
	run_id VARCHAR(32) NOT NULL, 
	rig_id VARCHAR(32) NOT NULL, 
	cell_id VARCHAR(32), 
	channel VARCHAR NOT NULL, 
	protocol_name VARCHAR NOT NULL, 
	protocol_file VARCHAR NOT NULL, 
	protocol_text TEXT NOT NULL, 
	protocol_sha256 VARCHAR(64) NOT NULL, 
	variables JSON NOT NULL, 
	software_version VARCHAR NOT NULL, 
	bench JSON NOT NULL, 
	speed VARCHAR NOT NULL, 
	seed INTEGER NOT NULL, 
	state VARCHAR NOT NULL, 
	reason TEXT, 
	created_us BIGINT NOT NULL, 
	started_us BIGINT, 
	ended_us BIGINT, 
	PRIMARY KEY (run_id), 
	FOREIGN KEY(rig_id) REFERENCES rig (rig_id), 
	FOREIGN KEY(cell_id) REFERENCES cell (cell_id)
);
INSERT INTO "run" VALUES('41152e3877424ac593f94c9ef375cac8','b85519b7869848d5bc963a703add444e','e359aa81b83643be9a2cfca727faf624','C1','Two short cycles','p.yaml','protocol: 1
name: Two short cycles
cell: {capacity: 2 mAh, area: 0.785 cm^2}
safety: {voltage: [2.5 V, 4.5 V], current: 20 mA}
record: {every: 120 s}
steps:
  - rest: {for: 10 min}
  - eis: {from: 1 kHz, to: 1 Hz, points_per_decade: 2, amplitude: 5 mV}
  - repeat: 2
    steps:
      - charge: {at: C/2, until: 4.1 V}
      - discharge: {at: C/2, until: 3.0 V}
','a13823db6f5546b671fa7cd8c0dfa32b42ee69a689974e4cee2a6191a29b7863','{}','0.1.0','{"file": "sim", "content": {"bench": 1, "instruments": {"pstat-p1": {"driver": "palmsens.methodscript", "connect": "sim"}, "pstat-p2": {"driver": "palmsens.methodscript", "connect": "sim"}, "smu-c1": {"driver": "keithley.smu2450", "connect": "sim", "simulate": {"saved_off_state": "high_impedance"}}, "smu-c2": {"driver": "keithley.smu2450", "connect": "sim", "simulate": {"saved_off_state": "high_impedance"}}, "pstat-c1": {"driver": "palmsens.methodscript", "connect": "sim"}, "pstat-c2": {"driver": "palmsens.methodscript", "connect": "sim"}, "chamber-p": {"driver": "espec.p300", "connect": "sim"}, "chamber-c": {"driver": "espec.p300", "connect": "sim"}}, "channels": {"P1": {"cell": "pstat-p1", "impedance": "pstat-p1", "chamber": "chamber-p", "leads": "0.2 ohm", "simulate": {"cell": "blocking_pellet", "material": "Li6PS5Cl", "area": "0.785 cm^2", "thickness": "0.5 mm"}}, "P2": {"cell": "pstat-p2", "impedance": "pstat-p2", "chamber": "chamber-p", "leads": "0.2 ohm", "simulate": {"cell": "symmetric_pellet", "material": "Li6PS5Cl", "area": "0.785 cm^2", "thickness": "0.5 mm", "interface_resistance": "10 ohm*cm^2", "interface_activation_energy": "0.50 eV"}}, "C1": {"cell": "smu-c1", "impedance": "pstat-c1", "chamber": "chamber-c", "simulate": {"cell": "full_cell", "area": "0.785 cm^2", "capacity": "2 mAh", "alpha_per_cycle": 0.0005}}, "C2": {"cell": "smu-c2", "impedance": "pstat-c2", "chamber": "chamber-c", "simulate": {"cell": "full_cell", "area": "0.785 cm^2", "capacity": "2 mAh", "alpha_per_cycle": 0.0003}}}, "limits": {"P1": {"voltage": ["-1.5 V", "1.5 V"], "current": "50 mA"}, "P2": {"voltage": ["-1.5 V", "1.5 V"], "current": "50 mA"}, "C1": {"voltage": ["2.0 V", "4.4 V"], "current": "20 mA", "temperature": ["-30 degC", "80 degC"]}, "C2": {"voltage": ["2.0 V", "4.4 V"], "current": "20 mA", "temperature": ["-30 degC", "80 degC"]}}}, "identities": {"smu-c1": {"maker": "Keithley", "model": "2450", "serial": "04096331", "firmware": "1.7.12b"}, "pstat-c1": {"maker": "PalmSens", "model": "nexus1", "serial": "NEX1SIM0001", "firmware": "1304 R*, MethodSCRIPT 01.08.00"}, "chamber-c": {"maker": "ESPEC", "model": "P300", "serial": "", "firmware": "P3F00021"}}}','3000',1,'running','',1795806988018198,1795806988299647,NULL);
CREATE TABLE sample (
	run_id VARCHAR(32) NOT NULL, 
	seq BIGINT NOT NULL, 
	ts_us BIGINT NOT NULL, 
	test_time_second FLOAT NOT NULL, 
	step_count INTEGER NOT NULL, 
	step_id INTEGER NOT NULL, 
	cycle_count INTEGER NOT NULL, 
	phase VARCHAR, 
	tag VARCHAR, 
	voltage_volt FLOAT, 
	current_ampere FLOAT, 
	ambient_temperature_celsius FLOAT, 
	charging_capacity_ah FLOAT NOT NULL, 
	discharging_capacity_ah FLOAT NOT NULL, 
	charging_energy_wh FLOAT NOT NULL, 
	discharging_energy_wh FLOAT NOT NULL, 
	applied_pressure_pa FLOAT, 
	flags INTEGER NOT NULL, 
	aux JSON, 
	PRIMARY KEY (run_id, seq)
)
 WITHOUT ROWID

;
CREATE TABLE segment (
	run_id VARCHAR(32) NOT NULL, 
	seq_first BIGINT NOT NULL, 
	seq_last BIGINT NOT NULL, 
	path VARCHAR NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	PRIMARY KEY (run_id, seq_first)
);
CREATE TABLE spectrum (
	run_id VARCHAR(32) NOT NULL, 
	spectrum_count INTEGER NOT NULL, 
	step_count INTEGER NOT NULL, 
	cycle_count INTEGER NOT NULL, 
	phase VARCHAR, 
	tag VARCHAR, 
	name VARCHAR, 
	test_time_second FLOAT NOT NULL, 
	ts_us BIGINT NOT NULL, 
	amplitude_volt FLOAT, 
	amplitude_ampere FLOAT, 
	bias_volt FLOAT, 
	open_circuit_before_volt FLOAT, 
	open_circuit_after_volt FLOAT, 
	correction JSON, 
	ambient_temperature_celsius FLOAT, 
	ambient_temperature_span_kelvin FLOAT, 
	complete BOOLEAN NOT NULL, 
	PRIMARY KEY (run_id, spectrum_count)
);
INSERT INTO "spectrum" VALUES('41152e3877424ac593f94c9ef375cac8',1,2,0,'','','',6.00290000000000077305e+02,1795807588589647,0.005,NULL,NULL,2.90238,2.90246,'null',2.38000000000000042641e+01,0.0,1);
CREATE TABLE spool (
	arrival INTEGER NOT NULL, 
	run_id VARCHAR(32) NOT NULL, 
	seq BIGINT NOT NULL, 
	ts_us BIGINT NOT NULL, 
	test_time_second FLOAT NOT NULL, 
	step_count INTEGER NOT NULL, 
	step_id INTEGER NOT NULL, 
	cycle_count INTEGER NOT NULL, 
	phase VARCHAR, 
	tag VARCHAR, 
	voltage_volt FLOAT, 
	current_ampere FLOAT, 
	ambient_temperature_celsius FLOAT, 
	charging_capacity_ah FLOAT NOT NULL, 
	discharging_capacity_ah FLOAT NOT NULL, 
	charging_energy_wh FLOAT NOT NULL, 
	discharging_energy_wh FLOAT NOT NULL, 
	applied_pressure_pa FLOAT, 
	flags INTEGER NOT NULL, 
	aux JSON, 
	PRIMARY KEY (arrival)
);
INSERT INTO "spool" VALUES(1,'41152e3877424ac593f94c9ef375cac8',0,1795806988639647,3.39999999999999968913e-01,1,0,0,'','',2.90246,0.0,23.8,0.0,0.0,0.0,0.0,NULL,0,NULL);
INSERT INTO "spool" VALUES(2,'41152e3877424ac593f94c9ef375cac8',1,1795807109379647,121.08,1,0,0,'','',2.90248,0.0,23.8,2.16666666666666579959e-16,1.8611111111111108122e-16,6.28870986111111099012e-16,5.40181486111111e-16,NULL,0,NULL);
INSERT INTO "spool" VALUES(3,'41152e3877424ac593f94c9ef375cac8',2,1795807229379647,241.08,1,0,0,'','',2.90256,0.0,23.9,3.99999999999999547844e-16,3.58333333333332878026e-16,1.16099250000000029704e-15,1.04005326388888903299e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(4,'41152e3877424ac593f94c9ef375cac8',3,1795807349379647,361.08,1,0,0,'','',2.90242,0.0,23.8,5.36111111111111320395e-16,4.86111111111110705132e-16,1.55605261111111180315e-15,1.41092594444444468073e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(5,'41152e3877424ac593f94c9ef375cac8',4,1795807469379647,481.08,1,0,0,'','',2.90242,-1.0e-14,23.8,7.94444444444445925946e-16,6.18055555555555825517e-16,2.30585955555555454613e-15,1.79389316666666653737e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(6,'41152e3877424ac593f94c9ef375cac8',5,1795807588379647,600.08,1,0,0,'','',2.90246,0.0,23.8,1.01666666666666826411e-15,8.166666666666674795e-16,2.95085508333333026483e-15,2.37035916666666654517e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(7,'41152e3877424ac593f94c9ef375cac8',6,1795807588459647,6.00160000000000081864e+02,2,1,0,'','',2.90238,-2.0e-14,23.8,1.01666666666666826411e-15,8.16888888888889858758e-16,2.95085508333333026483e-15,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(8,'41152e3877424ac593f94c9ef375cac8',7,1795807600879647,6.125800000000001546e+02,2,1,0,'','',2.90246,1.0e-14,23.8,1.01666666666666826411e-15,8.16888888888889858758e-16,2.95085508333333026483e-15,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(9,'41152e3877424ac593f94c9ef375cac8',8,1795807601099647,6.12800000000000181892e+02,3,3,1,'','',2.95136,0.000999998,23.8,3.05554954614204637487e-08,8.16888888888889858758e-16,8.94331851961494183299e-08,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(10,'41152e3877424ac593f94c9ef375cac8',9,1795807721959647,7.33660000000000195536e+02,3,3,1,'','',3.61586,0.001000001,23.8,3.36027773010169763341e-05,8.16888888888889858758e-16,1.16186943327135035522e-04,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(11,'41152e3877424ac593f94c9ef375cac8',10,1795807841959647,8.53660000000000195562e+02,3,3,1,'','',3.6251,0.001000001,23.8,6.69361153565725311822e-05,8.16888888888889858758e-16,2.36875349340357258236e-04,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(12,'41152e3877424ac593f94c9ef375cac8',11,1795807961959647,9.73660000000000195544e+02,3,3,1,'','',3.6337,0.000999998,23.8,1.00269442162128090325e-04,8.16888888888889858758e-16,3.57854370083175265908e-04,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(13,'41152e3877424ac593f94c9ef375cac8',12,1795808081959647,1093.66,3,3,1,'','',3.6424,0.001,23.8,1.3360278549546139885e-04,8.16888888888889858758e-16,4.79122881454176370585e-04,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(14,'41152e3877424ac593f94c9ef375cac8',13,1795808201959647,1213.66,3,3,1,'','',3.65112,0.000999997,23.7,1.66936123412128053318e-04,8.16888888888889858758e-16,6.00681892599762485597e-04,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(15,'41152e3877424ac593f94c9ef375cac8',14,1795808321959647,1333.66,3,3,1,'','',3.65984,0.001,23.8,2.00269463273239177588e-04,8.16888888888889858758e-16,7.22530672028731690316e-04,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(16,'41152e3877424ac593f94c9ef375cac8',15,1795808441959647,1453.66,3,3,1,'','',3.66846,0.001000002,23.8,2.33602798273239140904e-04,8.16888888888889858758e-16,8.44669458713580398497e-04,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(17,'41152e3877424ac593f94c9ef375cac8',16,1795808561959647,1573.66,3,3,1,'','',3.67724,0.001,23.8,2.66936126051016962053e-04,8.16888888888889858758e-16,9.67098396650220592553e-04,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(18,'41152e3877424ac593f94c9ef375cac8',17,1795808681959647,1693.66,3,3,1,'','',3.68596,0.001000003,23.8,3.0026945535657241634e-04,8.16888888888889858758e-16,1.08981700402321630798e-03,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(19,'41152e3877424ac593f94c9ef375cac8',18,1795808801959647,1813.66,3,3,1,'','',3.69466,0.001000003,23.7,3.33602793134350197531e-04,8.16888888888889858758e-16,1.21282622320637218683e-03,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(20,'41152e3877424ac593f94c9ef375cac8',19,1795808921959647,1933.66,3,3,1,'','',3.70328,0.000999998,23.7,3.66936121884349941875e-04,8.16888888888889858758e-16,1.33612504792560409655e-03,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(21,'41152e3877424ac593f94c9ef375cac8',20,1795809041959647,2053.66,3,3,1,'','',3.71202,0.001,23.8,4.00269453828794394972e-04,8.16888888888889858758e-16,1.45971442335270595001e-03,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(22,'41152e3877424ac593f94c9ef375cac8',21,1795809161959647,2173.66,3,3,1,'','',3.72068,0.001000002,23.7,4.33602794384349804306e-04,8.16888888888889858758e-16,1.58359411963887412866e-03,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(23,'41152e3877424ac593f94c9ef375cac8',22,1795809281959647,2293.66,3,3,1,'','',3.72946,0.000999998,23.8,4.66936126884349479455e-04,8.16888888888889858758e-16,1.70776434152253124565e-03,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(24,'41152e3877424ac593f94c9ef375cac8',23,1795809401959647,2413.66,3,3,1,'','',3.73818,0.000999997,23.7,5.00269465634349454891e-04,8.16888888888889858758e-16,1.83222464509717828523e-03,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(25,'41152e3877424ac593f94c9ef375cac8',24,1795809521959647,2533.66,3,3,1,'','',3.74688,0.001,23.7,5.33602795217682384677e-04,8.16888888888889858758e-16,1.9569761616347832768e-03,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(26,'41152e3877424ac593f94c9ef375cac8',25,1795809641959647,2653.66,3,3,1,'','',3.75572,0.001,23.7,5.66936120773238287628e-04,8.16888888888889858758e-16,2.08201862687019739403e-03,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(27,'41152e3877424ac593f94c9ef375cac8',26,1795809761959647,2773.66,3,3,1,'','',3.76446,0.000999998,23.7,6.00269440773238066935e-04,8.16888888888889858758e-16,2.20735294620196323411e-03,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(28,'41152e3877424ac593f94c9ef375cac8',27,1795809881959647,2893.66,3,3,1,'','',3.7732,0.000999996,23.7,6.33602786884348624131e-04,8.16888888888889858758e-16,2.3329791304614708354e-03,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(29,'41152e3877424ac593f94c9ef375cac8',28,1795810001959647,3013.66,3,3,1,'','',3.78196,0.001000001,23.7,0.000666936120634348,8.16888888888889858758e-16,2.45889869315089317977e-03,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(30,'41152e3877424ac593f94c9ef375cac8',29,1795810121959647,3133.66,3,3,1,'','',3.79092,0.001000003,23.7,0.000700269455634348,8.16888888888889858758e-16,2.58511284947770354422e-03,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(31,'41152e3877424ac593f94c9ef375cac8',30,1795810241959647,3253.66,3,3,1,'','',3.79974,0.000999999,23.7,7.33602783689903418726e-04,8.16888888888889858758e-16,2.71162405444108937577e-03,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(32,'41152e3877424ac593f94c9ef375cac8',31,1795810361959647,3373.66,3,3,1,'','',3.80882,0.000999998,23.7,7.66936103828792206833e-04,8.16888888888889858758e-16,2.83843500978527311581e-03,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(33,'41152e3877424ac593f94c9ef375cac8',32,1795810481959647,3493.66,3,3,1,'','',3.81806,0.000999999,23.7,8.00269448134347384342e-04,8.16888888888889858758e-16,2.96555049051215212016e-03,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(34,'41152e3877424ac593f94c9ef375cac8',33,1795810601959647,3613.66,3,3,1,'','',3.82756,0.001,23.7,8.33602779939902503378e-04,8.16888888888889858758e-16,3.09297735411559427884e-03,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(35,'41152e3877424ac593f94c9ef375cac8',34,1795810721959647,3733.66,3,3,1,'','',3.83736,0.000999998,23.7,8.66936107995457528978e-04,8.16888888888889858758e-16,3.2207247172200241525e-03,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(36,'41152e3877424ac593f94c9ef375cac8',35,1795810841959647,3853.66,3,3,1,'','',3.84766,0.000999999,23.6,9.00269456745457193405e-04,8.16888888888889858758e-16,3.34880715699696109022e-03,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(37,'41152e3877424ac593f94c9ef375cac8',36,1795810961959647,3973.66,3,3,1,'','',3.85862,0.001,23.7,9.33602799106568524527e-04,8.16888888888889858758e-16,3.47724309175377783998e-03,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(38,'41152e3877424ac593f94c9ef375cac8',37,1795811081959647,4093.66,3,3,1,'','',3.87036,0.000999996,23.6,9.66936115773234694699e-04,8.16888888888889858758e-16,3.60605806347215600976e-03,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(39,'41152e3877424ac593f94c9ef375cac8',38,1795811201959647,4213.66,3,3,1,'','',3.88338,0.000999999,23.6,1.00026945285657106396e-03,8.16888888888889858758e-16,3.7352855419137344535e-03,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(40,'41152e3877424ac593f94c9ef375cac8',39,1795811321959647,4333.66,3,3,1,'','',3.89752,0.000999998,23.7,1.03360278243991060738e-03,8.16888888888889858758e-16,3.86496469675374435676e-03,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(41,'41152e3877424ac593f94c9ef375cac8',40,1795811441959647,4453.66,3,3,1,'','',3.91314,0.000999998,23.6,1.06693611771769376536e-03,8.16888888888889858758e-16,0.0039951395460166,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(42,'41152e3877424ac593f94c9ef375cac8',41,1795811561959647,4573.66,3,3,1,'','',3.92978,0.001000002,23.6,1.10026944827325517776e-03,8.16888888888889858758e-16,0.00412585216848245,2.37100414888888913239e-15,NULL,0,NULL);
INSERT INTO "spool" VALUES(43,'41152e3877424ac593f94c9ef375cac8',42,1795811681959647,4693.66,3,3,1,'','',3.9472,0.001000002,23.6,1.13360277132881792118e-03,8.16888888888889858758e-16,4.25713330859511622505e-03,2.37100414888888913239e-15,NULL,0,NULL);
CREATE TABLE step (
	run_id VARCHAR(32) NOT NULL, 
	step_count INTEGER NOT NULL, 
	step_id INTEGER NOT NULL, 
	cycle_count INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	words VARCHAR NOT NULL, 
	phase VARCHAR, 
	tag VARCHAR, 
	name VARCHAR, 
	began_second FLOAT NOT NULL, 
	ended_second FLOAT NOT NULL, 
	seq_first BIGINT NOT NULL, 
	seq_last BIGINT NOT NULL, 
	capacity_ah FLOAT NOT NULL, 
	energy_wh FLOAT NOT NULL, 
	reason VARCHAR NOT NULL, 
	PRIMARY KEY (run_id, step_count)
);
INSERT INTO "step" VALUES('41152e3877424ac593f94c9ef375cac8',1,0,0,'rest','rest for 10 min','','','',0.0,600.08,0,5,2.00000000000000020448e-16,5.80495916666666579445e-16,'for 10 min');
INSERT INTO "step" VALUES('41152e3877424ac593f94c9ef375cac8',2,1,0,'eis','EIS 1 kHz to 1 Hz, 2 points per decade, 5 mV','','','',600.08,6.125800000000001546e+02,6,7,-2.22222222222335889373e-19,-6.44982222222552223703e-19,'spectrum complete');
CREATE INDEX ix_event_run_id ON event (run_id);
CREATE UNIQUE INDEX alarm_latched ON alarm (channel, kind) WHERE acknowledged_us IS NULL;
CREATE INDEX ix_alarm_run_id ON alarm (run_id);
CREATE INDEX journal_unanswered ON journal (run_id) WHERE outcome IS NULL;
CREATE INDEX ix_journal_run_id ON journal (run_id);
CREATE INDEX outbox_row ON outbox (table_name, "key");
CREATE TRIGGER outbox_alarm_insert AFTER INSERT ON "alarm" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('alarm', json_array(NEW.alarm_id), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'alarm' AND key = json_array(NEW.alarm_id)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'alarm' AND key = json_array(NEW.alarm_id) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_alarm_update AFTER UPDATE ON "alarm" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('alarm', json_array(NEW.alarm_id), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'alarm' AND key = json_array(NEW.alarm_id)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'alarm' AND key = json_array(NEW.alarm_id) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_cell_insert AFTER INSERT ON "cell" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('cell', json_array(NEW.cell_id), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'cell' AND key = json_array(NEW.cell_id)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'cell' AND key = json_array(NEW.cell_id) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_cell_update AFTER UPDATE ON "cell" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('cell', json_array(NEW.cell_id), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'cell' AND key = json_array(NEW.cell_id)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'cell' AND key = json_array(NEW.cell_id) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_cycle_insert AFTER INSERT ON "cycle" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('cycle', json_array(NEW.run_id, NEW.cycle_count), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'cycle' AND key = json_array(NEW.run_id, NEW.cycle_count)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'cycle' AND key = json_array(NEW.run_id, NEW.cycle_count) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_cycle_update AFTER UPDATE ON "cycle" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('cycle', json_array(NEW.run_id, NEW.cycle_count), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'cycle' AND key = json_array(NEW.run_id, NEW.cycle_count)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'cycle' AND key = json_array(NEW.run_id, NEW.cycle_count) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_event_insert AFTER INSERT ON "event" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('event', json_array(NEW.event_id), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'event' AND key = json_array(NEW.event_id)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'event' AND key = json_array(NEW.event_id) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_event_update AFTER UPDATE ON "event" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('event', json_array(NEW.event_id), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'event' AND key = json_array(NEW.event_id)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'event' AND key = json_array(NEW.event_id) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_impedance_point_insert AFTER INSERT ON "impedance_point" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('impedance_point', json_array(NEW.run_id, NEW.spectrum_count, NEW.point_index), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'impedance_point' AND key = json_array(NEW.run_id, NEW.spectrum_count, NEW.point_index)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'impedance_point' AND key = json_array(NEW.run_id, NEW.spectrum_count, NEW.point_index) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_impedance_point_update AFTER UPDATE ON "impedance_point" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('impedance_point', json_array(NEW.run_id, NEW.spectrum_count, NEW.point_index), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'impedance_point' AND key = json_array(NEW.run_id, NEW.spectrum_count, NEW.point_index)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'impedance_point' AND key = json_array(NEW.run_id, NEW.spectrum_count, NEW.point_index) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_journal_insert AFTER INSERT ON "journal" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('journal', json_array(NEW.journal_id), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'journal' AND key = json_array(NEW.journal_id)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'journal' AND key = json_array(NEW.journal_id) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_journal_update AFTER UPDATE ON "journal" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('journal', json_array(NEW.journal_id), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'journal' AND key = json_array(NEW.journal_id)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'journal' AND key = json_array(NEW.journal_id) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_resistance_insert AFTER INSERT ON "resistance" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('resistance', json_array(NEW.run_id, NEW.step_count), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'resistance' AND key = json_array(NEW.run_id, NEW.step_count)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'resistance' AND key = json_array(NEW.run_id, NEW.step_count) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_resistance_update AFTER UPDATE ON "resistance" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('resistance', json_array(NEW.run_id, NEW.step_count), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'resistance' AND key = json_array(NEW.run_id, NEW.step_count)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'resistance' AND key = json_array(NEW.run_id, NEW.step_count) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_result_insert AFTER INSERT ON "result" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('result', json_array(NEW.run_id, NEW.method, NEW.inputs_sha256), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'result' AND key = json_array(NEW.run_id, NEW.method, NEW.inputs_sha256)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'result' AND key = json_array(NEW.run_id, NEW.method, NEW.inputs_sha256) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_result_update AFTER UPDATE ON "result" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('result', json_array(NEW.run_id, NEW.method, NEW.inputs_sha256), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'result' AND key = json_array(NEW.run_id, NEW.method, NEW.inputs_sha256)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'result' AND key = json_array(NEW.run_id, NEW.method, NEW.inputs_sha256) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_rig_insert AFTER INSERT ON "rig" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('rig', json_array(NEW.rig_id), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'rig' AND key = json_array(NEW.rig_id)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'rig' AND key = json_array(NEW.rig_id) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_rig_update AFTER UPDATE ON "rig" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('rig', json_array(NEW.rig_id), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'rig' AND key = json_array(NEW.rig_id)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'rig' AND key = json_array(NEW.rig_id) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_spectrum_insert AFTER INSERT ON "spectrum" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('spectrum', json_array(NEW.run_id, NEW.spectrum_count), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'spectrum' AND key = json_array(NEW.run_id, NEW.spectrum_count)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'spectrum' AND key = json_array(NEW.run_id, NEW.spectrum_count) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_spectrum_update AFTER UPDATE ON "spectrum" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('spectrum', json_array(NEW.run_id, NEW.spectrum_count), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'spectrum' AND key = json_array(NEW.run_id, NEW.spectrum_count)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'spectrum' AND key = json_array(NEW.run_id, NEW.spectrum_count) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_step_insert AFTER INSERT ON "step" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('step', json_array(NEW.run_id, NEW.step_count), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'step' AND key = json_array(NEW.run_id, NEW.step_count)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'step' AND key = json_array(NEW.run_id, NEW.step_count) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_step_update AFTER UPDATE ON "step" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('step', json_array(NEW.run_id, NEW.step_count), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'step' AND key = json_array(NEW.run_id, NEW.step_count)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'step' AND key = json_array(NEW.run_id, NEW.step_count) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_run_insert AFTER INSERT ON "run" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('run', json_array(NEW.run_id), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'run' AND key = json_array(NEW.run_id)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'run' AND key = json_array(NEW.run_id) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_run_update AFTER UPDATE ON "run" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('run', json_array(NEW.run_id), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'run' AND key = json_array(NEW.run_id)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'run' AND key = json_array(NEW.run_id) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_cursor_insert AFTER INSERT ON "cursor" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('cursor', json_array(NEW.run_id), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'cursor' AND key = json_array(NEW.run_id)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'cursor' AND key = json_array(NEW.run_id) AND change_id < last_insert_rowid(); END;
CREATE TRIGGER outbox_cursor_update AFTER UPDATE ON "cursor" BEGIN INSERT INTO outbox (table_name, key, since_us) VALUES ('cursor', json_array(NEW.run_id), coalesce((SELECT min(since_us) FROM outbox WHERE table_name = 'cursor' AND key = json_array(NEW.run_id)), CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))); DELETE FROM outbox WHERE table_name = 'cursor' AND key = json_array(NEW.run_id) AND change_id < last_insert_rowid(); END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('outbox',4737);
COMMIT;