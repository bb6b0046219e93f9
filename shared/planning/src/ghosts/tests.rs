mod golden;
mod laws;
mod make;
mod peers;
mod proof;
